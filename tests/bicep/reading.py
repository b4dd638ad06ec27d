"""A template's declarations. pycep-parser's grammar reads it; its own values are not used: they no longer tell 'x' from x."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lark import Token, Tree
from lark.exceptions import LarkError
from pycep import BicepParser

type Node = Tree[Token]
type Part = Node | Token | None

_INTERPOLATION = re.compile(r"\$\{([^{}]*)\}")
_ESCAPES = {r"\'": "'", r"\n": "\n", r"\t": "\t", r"\$": "$", "\\\\": "\\"}


class BicepError(Exception):
    """The template cannot be what it is meant to be; the text says why."""


@dataclass(frozen=True, slots=True)
class Param:
    decorators: Mapping[str, Node | None]  # each with its argument
    default: Node | None


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource, or a module. `place` is the type with its API version, or the path. `body` may be a loop or a condition."""

    place: str
    body: Node
    existing: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    target: str
    params: Mapping[str, Param]
    variables: Mapping[str, Node]
    resources: Mapping[str, Declared]
    modules: Mapping[str, Declared]
    outputs: Mapping[str, Node]


def read_folder(folder: Path) -> dict[str, str]:
    """The texts of a folder's templates, and of the JSON that they may load, by path."""
    files = [*folder.rglob("*.bicep"), *folder.rglob("*.json")]
    return {file.relative_to(folder).as_posix(): file.read_text() for file in files}


@cache
def read(text: str) -> Template:
    """BicepError for what the grammar does not take."""
    try:
        tree = _grammar().lark_parser.parse(text + "\n")
    except LarkError as wrong:
        raise BicepError(f"pycep-parser does not take this: {str(wrong).splitlines()[0]}") from wrong

    def declared(kind: str) -> list[tuple[str, list[Part]]]:
        return [(str(node.children[1]), list(node.children)) for node in trees(tree) if node.data == kind]

    targets = [text_of(node.children[0]) for node in trees(tree) if node.data == "scope"]
    return Template(
        targets[0] if targets else "resourceGroup",
        {name: _param(parts) for name, parts in declared("param")},
        {name: _tree(parts[-1]) for name, parts in declared("var")},
        {name: Declared(_place(parts[2]), _tree(parts[-1]), parts[3] is not None) for name, parts in declared("resource")},
        {name: Declared(_place(parts[2]), _tree(parts[-1])) for name, parts in declared("module")},
        {name: _tree(parts[-1]) for name, parts in declared("output")},
    )


@cache
def interpolated(text: str) -> list[str | Node]:
    """The pieces of a text as it is written: strings, and the expressions between them."""
    pieces = enumerate(_INTERPOLATION.split(text))
    return [read(f"var it = {piece}").variables["it"] if index % 2 else _unescaped(piece) for index, piece in pieces if piece]


def is_text(node: Node) -> bool:
    """The grammar calls texts and names `string`, both."""
    return str(node.children[0]).startswith("'")


def text_of(token: Part) -> str:
    return str(token)[1:-1]


def trees(node: Part) -> list[Node]:
    return [child for child in node.children if isinstance(child, Tree)] if isinstance(node, Tree) else []


def within(node: Node) -> Iterator[Node]:
    """It and all that it consists of, the expressions in its texts as well."""
    yield node
    for child in trees(node):
        yield from within(child)
    if node.data in ("string", "key") and is_text(node):
        for piece in interpolated(text_of(node.children[0])):
            yield from () if isinstance(piece, str) else within(piece)


@cache
def _grammar() -> BicepParser:
    return BicepParser(cache=False)


def _param(parts: list[Part]) -> Param:
    decorators, *_, default = parts
    return Param(dict(_decorator(each) for each in trees(decorators)), default if isinstance(default, Tree) else None)


def _decorator(node: Node) -> tuple[str, Node | None]:
    return str(node.children[0]), next(iter(trees(node)), None)


def _place(part: Part) -> str:
    return text_of(_tree(part).children[0])


def _tree(part: Part) -> Node:
    if not isinstance(part, Tree):
        raise BicepError(f"a value is wanted, and not {part}")
    return part


def _unescaped(text: str) -> str:
    return re.sub(r"\\['nt$\\]", lambda escape: _ESCAPES[escape[0]], text)
