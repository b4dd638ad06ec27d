"""`make package`: the zip that a deployment uploads, made as azd and Core Tools make it, by `.funcignore`.

Azure installs requirements.txt itself when it builds what was uploaded. The same files make the same zip, to the byte.
"""

import argparse
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

REPOSITORY = Path(__file__).resolve().parents[1]
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Make the zip that a deployment uploads.")
    parser.add_argument("zip", type=Path)
    target: Path = parser.parse_args().zip
    target.parent.mkdir(parents=True, exist_ok=True)
    files = make_package(target)
    sys.stdout.write(f"{target}: {len(files)} files, {target.stat().st_size / 1000:.0f} kB\n")


def make_package(target: Path, source: Path = REPOSITORY) -> list[Path]:
    """Write the zip; the files in it, relative to `source`."""
    files = sorted(_uploaded(source))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for file in files:
            entry = zipfile.ZipInfo(file.as_posix(), LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, (source / file).read_bytes())
    return files


def _uploaded(source: Path) -> Iterator[Path]:
    ignored = GitIgnoreSpec.from_lines((source / ".funcignore").read_text().splitlines())
    for directory, folders, files in os.walk(source):
        here = Path(directory).relative_to(source)
        folders[:] = [name for name in folders if not ignored.match_file(f"{(here / name).as_posix()}/")]
        yield from (here / name for name in files if not ignored.match_file((here / name).as_posix()))


if __name__ == "__main__":
    main()
