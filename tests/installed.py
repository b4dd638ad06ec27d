"""A Python environment with the distributions of a requirements file and nothing else, linked from the one that runs the tests."""

import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from sysconfig import get_path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
APP, ALL = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"


def environment_of(requirements: Path, folder: Path) -> Path:
    """Its Python."""
    venv.create(folder, with_pip=False)
    packages = Path(get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    link(pinned(requirements), packages)
    return folder / "bin" / "python"


def link(names: Iterable[str], packages: Path) -> None:
    """Of these distributions all but their scripts."""
    for name in names:
        for file in distribution(name).files or ():
            if ".." not in file.parts:
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(Path(str(file.locate())).resolve())


def pinned(requirements: Path) -> set[str]:
    """The names of what is installed from the file on this platform. Each must be here in the very version."""
    return set(_pinned(requirements))


def _pinned(requirements: Path) -> Iterator[str]:
    lines = requirements.read_text().splitlines()
    for each in (Requirement(line.rstrip(" \\")) for line in lines if line and line[0] not in " #-"):
        if each.marker is None or each.marker.evaluate():
            assert each.specifier.contains(distribution(each.name).version), f"{each} is not what is installed here"
            yield each.name
