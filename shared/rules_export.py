"""Writes rules into a folder, such as `shared.rules_file` reads: applied again it changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from shared.rules import Rules
from shared.rules_document import Document, to_document
from shared.rules_file import PROVIDER_FILE
from shared.rules_reading import TENANTS_FOLDER

WIDTH = 120

_BREAKS = ("\n", "\r", "\x85", "\u2028", "\u2029")


class FolderNotEmptyError(Exception):
    """The folder has something in it that an export might overwrite. Nothing was written."""


def write_folder(rules: Rules, folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """provider.yaml and tenants/*.yaml; what was written. With `replace` also where there is something, in place of it.

    Then files of tenants that are no longer in the rules are removed: applied, they would bring them back.
    Raises FolderNotEmptyError, and OSError where the folder cannot be written.
    """
    if not replace and folder.exists() and any(folder.iterdir()):
        raise FolderNotEmptyError(f"{folder} is not empty")
    written = {folder / file: text for file, text in _files(rules)}
    (folder / TENANTS_FOLDER).mkdir(parents=True, exist_ok=True)
    for path, text in written.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    for path in (folder / TENANTS_FOLDER).glob("*.yaml"):
        if path not in written:
            path.unlink()
    return tuple(written)


def yaml_text(document: Document) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def _files(rules: Rules) -> Iterator[tuple[str, str]]:
    yield PROVIDER_FILE, yaml_text(to_document(rules.provider))
    taken: set[str] = set()
    for tenant_id in sorted(rules.tenants):
        file = tenant_id
        while file.lower() in taken:  # two ids that differ in case alone are one file on some systems
            file += "-"
        taken.add(file.lower())
        yield f"{TENANTS_FOLDER}/{file}.yaml", yaml_text(to_document(rules.tenants[tenant_id]))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        """Rules cannot be read with aliases, see `shared.marked_yaml`."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """In quotes that escape line breaks where it has any: PyYAML folds them so that it reads some of them as others."""
        style = '"' if any(line_break in data for line_break in _BREAKS) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_str)
