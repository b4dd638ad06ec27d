"""Values worked out: what an expression is, once the names in it are known. Strict where pycep-parser would misread it."""

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from tests.bicep.functions import FUNCTIONS, Later
from tests.bicep.reading import BicepError, Node, interpolated, is_text, text_of, trees

CONSTANTS = {"true": True, "false": False, "null": None}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda left, right: left == right,
    "not_equals": lambda left, right: left != right,
    "greater_than": lambda left, right: left > right,
}

type Local = Mapping[str, Any]  # the variables of the loops around


class File(Protocol):
    """Where an expression stands."""

    path: str
    sources: Mapping[str, str]

    def symbol(self, name: str) -> Any:
        """What a parameter, a variable, a resource or a module is."""


def value(node: Node, file: File, local: Local) -> Any:
    kind = str(node.data)
    if kind in CONSTANTS:
        return CONSTANTS[kind]
    match kind:
        case "string":
            return _text(node, file, local) if is_text(node) else _named(str(node.children[0]), file, local)
        case "multi_line_string":
            return str(node.children[0])[3:-3].removeprefix("\n")
        case "int_type":
            return int(str(node.children[0]))
        case "array":
            return [value(each, file, local) for each in trees(node)]
        case "object":
            return dict(_pair(each, file, local) for each in trees(node))
        case "loop":
            return [value(content, file, inner) for content, inner in items(node, file, local)]
        case "function":
            return _call(node, file, local)
        case "operator":
            return _operator(trees(node)[0], file, local)
    raise _unused_here(kind, file)


def truth(node: Node, file: File, local: Local) -> bool:
    found = value(node, file, local)
    if not isinstance(found, bool):
        raise BicepError(f"{file.path}: {found!r} is no condition; put it in parentheses where it is part of one")
    return found


def items(loop: Node, file: File, local: Local) -> Iterator[tuple[Node, Local]]:
    """What a loop repeats, each time with its variable."""
    over, *_, content = trees(loop)
    if over.data != "loop_array":
        raise _unused_here(str(over.data), file)
    for item in value(trees(over)[0], file, local):
        yield content, {**local, str(over.children[0]): item}


def beside(file: File, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(file.path), path))


def _named(name: str, file: File, local: Local) -> Any:
    return local[name] if name in local else file.symbol(name)


def _text(node: Node, file: File, local: Local) -> str:
    pieces = interpolated(text_of(node.children[0]))
    return "".join(piece if isinstance(piece, str) else str(value(piece, file, local)) for piece in pieces)


def _pair(node: Node, file: File, local: Local) -> tuple[str, Any]:
    key, content = trees(node)
    return _text(key, file, local) if is_text(key) else str(key.children[0]), value(content, file, local)


def _call(node: Node, file: File, local: Local) -> Any:
    name = str(node.children[0]).rstrip("(")
    arguments = [value(each, file, local) for each in trees(node)]
    if name == "loadJsonContent":
        return json.loads(file.sources[beside(file, arguments[0])])
    if name not in FUNCTIONS:
        raise _unused_here(f"function {name}", file)
    return FUNCTIONS[name](*arguments)


def _operator(node: Node, file: File, local: Local) -> Any:
    kind = str(node.data)
    left, *right = trees(node)
    if kind in COMPARISONS:
        return COMPARISONS[kind](value(left, file, local), value(right[0], file, local))
    match kind:
        case "property_accessor":
            return _along(value(left, file, local), right[0], file, local)
        case "index_accessor":
            return _member(value(left, file, local), value(right[0], file, local), file)
        case "conditional":
            return value(right[0] if truth(left, file, local) else right[1], file, local)
        case "not_op":
            return not truth(left, file, local)
        case "and_op":
            return truth(left, file, local) and truth(right[0], file, local)
    raise _unused_here(kind, file)


def _along(of: Any, path: Node, file: File, local: Local) -> Any:
    """The grammar nests a.b.c to the right; what else it puts there is meant to stand around all of it."""
    if path.data != "operator":
        return _member(of, str(path.children[0]), file)
    [inner] = trees(path)
    if inner.data not in ("property_accessor", "index_accessor"):
        raise BicepError(f"{file.path}: put what is before {inner.data} in parentheses")
    left, right = trees(inner)
    before = _along(of, left, file, local)
    if inner.data == "index_accessor":
        return _member(before, value(right, file, local), file)
    return _along(before, right, file, local)


def _member(of: Any, name: str, file: File) -> Any:
    if of is None:
        raise BicepError(f"{file.path}: .{name} is asked of what is not deployed")
    if isinstance(of, Later):
        return Later(f"{of[:-1]}.{name}›")
    if name in of:
        return of[name]
    if "id" in of and "name" in of:  # a resource: the rest of it only Azure knows
        return Later(f"‹{of['id'].rpartition('/providers/')[2]}.{name}›")
    raise BicepError(f"{file.path}: there is no {name} in {sorted(of)}")


def _unused_here(what: str, file: File) -> BicepError:
    return BicepError(f"{file.path}: {what} is not used here")
