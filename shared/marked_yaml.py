"""YAML that remembers the line of each of its values, so that whoever wrote it can be told where it is wrong.

Stricter than YAML is: a repeated key is reported (PyYAML lets the last one win), and an alias is refused, since a few
lines of them can stand for gigabytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

type Path = tuple[str | int, ...]
"""Where a value stands in its document: ("subscriptions", 0, "into")."""


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """`content`: dicts, lists and scalars; None for an empty file. `repeated`: mapping keys that stand there again."""

    content: Any
    lines: Mapping[Path, int]
    repeated: tuple[tuple[Path, int], ...]

    def line(self, path: Path) -> int:
        """The line of the value, or of the innermost one around it that the document has. The first line is 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class UnreadableYamlError(Exception):
    """Not YAML, or YAML with aliases."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


def read_yaml(source: bytes) -> MarkedDocument:
    """Read one document. UnreadableYamlError says what stands in the way, and in which line."""
    try:
        loader = _Loader(source)
        try:
            root = loader.get_single_node()
            content = loader.construct_document(root) if root else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise UnreadableYamlError(", ".join(part for part in (wrong.context, wrong.problem) if part), line) from wrong
    except yaml.YAMLError as wrong:  # bytes that are not UTF-8, or a control character
        raise UnreadableYamlError(str(wrong).splitlines()[0], 1) from wrong
    except RecursionError as wrong:
        raise UnreadableYamlError("it is nested too deeply", 1) from wrong
    return _marked(content, _places(root, ()) if root else iter(()))


def _marked(content: Any, places: Iterator[tuple[Path, int]]) -> MarkedDocument:
    lines: dict[Path, int] = {}
    repeated: dict[Path, int] = {}
    for path, line in places:
        if path not in lines:
            lines[path] = line
        elif not any(path[:length] in repeated for length in range(len(path))):
            repeated[path] = line
    return MarkedDocument(content, lines, tuple(repeated.items()))


def written(path: Path) -> str:
    """The path as people write it: subscriptions[0].into"""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call] # untyped in types-pyyaml
            raise yaml.composer.ComposerError(None, None, "an alias (*) cannot stand here", event.start_mark)
        return super().compose_node(parent, index)


def _places(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _places(item, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _entry(name, value, path)


def _entry(name: yaml.Node, value: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    here = (*path, str(name.value))
    yield here, name.start_mark.line + 1
    for inner, line in _places(value, here):
        if inner != here:
            yield inner, line
