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

MOST_SHOWN = 160  # characters of what somebody wrote, where it is named as wrong


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """`content`: dicts, lists and scalars; None for an empty file. `repeated`: mapping keys that stand there again.

    `lines` by what is written on the way, of a field that is a number too.
    """

    content: Any
    lines: Mapping[tuple[str, ...], int]
    repeated: tuple[tuple[Path, int], ...]

    def line(self, path: Path) -> int:
        """The line of the value, or of the innermost one around it that the document has. The first line is 1."""
        steps = _steps(path)
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)


class UnreadableYamlError(Exception):
    """Not YAML, or YAML with aliases, or with what looks like a number, a time or a text and is none."""

    def __init__(self, what: str, line: int, remedy: str = "correct the line") -> None:
        super().__init__(what)
        self.line = line
        self.remedy = remedy


def read_yaml(source: bytes) -> MarkedDocument:
    """Read one document. UnreadableYamlError says what stands in the way, and in which line."""
    try:
        return _read(source, _QuickLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as wrong:
        return _read_again(source, wrong)


def _read(source: bytes, loading: type[yaml.SafeLoader]) -> MarkedDocument:
    loader = loading(source)
    try:
        root = loader.get_single_node()
        content = loader.construct_document(root) if root else None
    finally:
        loader.dispose()
    return _marked(content, _places(root, ()) if root else iter(()))


def _read_again(source: bytes, first: Exception) -> MarkedDocument:
    """In Python, whose loader says more of what is wrong than libyaml, which said `first`."""
    try:
        return _read(source, _Loader)
    except yaml.MarkedYAMLError as wrong:
        raise _refusal(wrong) from wrong
    except ValueError as wrong:  # "\\U00110000"
        raise _refusal(first) from wrong
    except yaml.reader.ReaderError as wrong:  # bytes that are not UTF-8, or a control character
        raise _unreadable(wrong, source) from wrong
    except RecursionError as wrong:
        raise UnreadableYamlError("it is nested too deeply", 1) from wrong


def _refusal(wrong: Exception) -> UnreadableYamlError:
    if not isinstance(wrong, yaml.MarkedYAMLError):
        return UnreadableYamlError(str(wrong), 1)
    line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
    return UnreadableYamlError(", ".join(part for part in (wrong.context, wrong.problem) if part), line)


def _marked(content: Any, places: Iterator[tuple[Path, int]]) -> MarkedDocument:
    lines: dict[tuple[str, ...], int] = {}
    repeated: dict[Path, int] = {}
    for path, line in places:
        if _steps(path) not in lines:
            lines[_steps(path)] = line
        elif not any(path[:length] in repeated for length in range(len(path))):
            repeated[path] = line
    return MarkedDocument(content, lines, tuple(repeated.items()))


def _steps(path: Path) -> tuple[str, ...]:
    return tuple(map(str, path))


def shortened(text: str) -> str:
    """As much of it as people need to find the place."""
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN // 2]}…{text[-MOST_SHOWN // 2 :]}"


def written(path: Path) -> str:
    """The path as people write it: subscriptions[0].into"""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step if step.isprintable() else repr(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _unreadable(wrong: yaml.reader.ReaderError, source: bytes) -> UnreadableYamlError:
    """Its position counts characters once there are some, and bytes before."""
    what = str(wrong).splitlines()[0]
    if wrong.encoding == "unicode":
        line = source.decode(errors="replace").count("\n", 0, wrong.position) + 1
        return UnreadableYamlError(what, line, "remove the character")
    line = source.count(b"\n", 0, wrong.position) + 1
    return UnreadableYamlError(what, line, "save the file as UTF-8")


class _Checked(yaml.composer.Composer, yaml.constructor.SafeConstructor):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # type: ignore[attr-defined] # of the parser, which each loader has
            mark = self.peek_event().start_mark  # type: ignore[attr-defined] # likewise
            raise yaml.composer.ComposerError(None, None, "an alias (*) cannot stand here", mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Refuses what PyYAML leaves to Python to refuse: 2026-13-45, `!!bool maybe`, 5,000 digits, half a character."""
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str | int):
                str(value).encode()
        except (ArithmeticError, AttributeError, LookupError, ValueError) as wrong:
            what = f"{shortened(repr(node.value))} cannot be read as {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from wrong
        return value


class _Loader(_Checked, yaml.SafeLoader):
    pass


_Parsing: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _QuickLoader(_Checked, _Parsing):  # type: ignore[valid-type,misc] # known at run time
    """Parsed by libyaml, which all wheels of PyYAML have: in a quarter of the time.

    Composed in Python, which counts how deep it is; CSafeLoader's own composing overflows the stack, and ends the process.
    """

    def __init__(self, source: bytes) -> None:
        _Parsing.__init__(self, source)
        yaml.composer.Composer.__init__(self)


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
