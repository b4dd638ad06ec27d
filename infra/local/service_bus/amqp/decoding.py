"""AMQP 1.0 values out of bytes.

Besides decoding there is `skip`, which only measures a value, and `raw_items` and `raw_map`, which split a list or a map
into its elements' own bytes: what a sender wrote passes through the broker with its exact AMQP types.
"""

import struct
import sys
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

type Decoded = tuple[Any, int]
type Decoder = Callable[[bytes, int], Decoded]

DESCRIBED = 0x00
NULL = 0x40
LIST0, LIST8, LIST32 = 0x45, 0xC0, 0xD0
MAP8, MAP32 = 0xC1, 0xD1

_UINT = struct.Struct(">I")
_WIDTH_BY_CATEGORY = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


class MalformedError(Exception):
    """The bytes are not AMQP 1.0."""


class Symbol(str):
    """An AMQP symbol; kept apart from strings, although both compare equal."""

    __slots__ = ()


class Described(NamedTuple):
    """A value with the descriptor that gives it its meaning."""

    descriptor: Any
    value: Any


def decode(data: bytes, at: int = 0) -> Decoded:
    """The value that begins at `at`, and the offset just past it. Timestamps come as integer milliseconds.

    Raises MalformedError.
    """
    try:
        return _decode(data, at)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, RecursionError, OverflowError) as wrong:
        raise MalformedError(f"no AMQP value at byte {at}: {wrong!r}") from wrong


def skip(data: bytes, at: int) -> int:
    """The offset just past the value that begins at `at`, which is not decoded."""
    constructor = data[at]
    if constructor == DESCRIBED:
        return skip(data, skip(data, at + 1))
    category = constructor >> 4
    if category in _WIDTH_BY_CATEGORY:
        return at + 1 + _WIDTH_BY_CATEGORY[category]
    if category in (0xA, 0xC, 0xE):
        return at + 2 + data[at + 1]
    size: int = _UINT.unpack_from(data, at + 1)[0]
    return at + 5 + size


def raw_items(data: bytes, at: int) -> list[bytes]:
    """The encoded items of the list at `at`."""
    return _raw_elements(data, at)


def raw_map(data: bytes, at: int) -> dict[str, bytes]:
    """The encoded values of the map at `at`, by their decoded keys (null counts as empty)."""
    elements = _raw_elements(data, at)
    return {str(decode(key)[0]): value for key, value in zip(elements[::2], elements[1::2], strict=True)}


def _raw_elements(data: bytes, at: int) -> list[bytes]:
    count, at = _compound_start(data, at)
    elements = []
    for _ in range(count):
        end = skip(data, at)
        elements.append(data[at:end])
        at = end
    return elements


def _compound_start(data: bytes, at: int) -> tuple[int, int]:
    """How many elements the list or map at `at` has, and where the first begins."""
    constructor = data[at]
    if constructor in (NULL, LIST0):
        return 0, at + 1
    if constructor in (LIST8, MAP8):
        return data[at + 2], at + 3
    if constructor in (LIST32, MAP32):
        return _UINT.unpack_from(data, at + 5)[0], at + 9
    raise MalformedError(f"neither a list nor a map: constructor 0x{constructor:02x}")


def _decode(data: bytes, at: int) -> Decoded:
    constructor = data[at]
    if constructor == DESCRIBED:
        descriptor, at = _decode(data, at + 1)
        value, at = _decode(data, at)
        return Described(descriptor, value), at
    return _DECODERS[constructor](data, at + 1)


def _constant(value: Any) -> Decoder:
    return lambda _, at: (value, at)


def _number(layout: str) -> Decoder:
    form = struct.Struct(layout)
    return lambda data, at: (form.unpack_from(data, at)[0], at + form.size)


def _character(data: bytes, at: int) -> Decoded:
    (code_point,) = _UINT.unpack_from(data, at)
    if code_point > sys.maxunicode:
        raise MalformedError(f"{code_point:#x} is no character of Unicode")
    return chr(code_point), at + 4


def _opaque(size: int) -> Decoder:
    """Decimals: nothing here computes with them, so they stay as they are."""
    return lambda data, at: (_part(data, at, at + size), at + size)


def _variable(length: struct.Struct, convert: Callable[[bytes], Any]) -> Decoder:
    def decoder(data: bytes, at: int) -> Decoded:
        start = at + length.size
        end = start + length.unpack_from(data, at)[0]
        return convert(_part(data, start, end)), end

    return decoder


def _list(header: struct.Struct) -> Decoder:
    def decoder(data: bytes, at: int) -> Decoded:
        count, at = _count(header, data, at)
        items = []
        for _ in range(count):
            item, at = _decode(data, at)
            items.append(item)
        return items, at

    return decoder


def _map(header: struct.Struct) -> Decoder:
    items_of = _list(header)

    def decoder(data: bytes, at: int) -> Decoded:
        items, end = items_of(data, at)
        keys = (key.value if isinstance(key, Described) else key for key in items[::2])
        return dict(zip(keys, items[1::2], strict=False)), end

    return decoder


def _array(header: struct.Struct) -> Decoder:
    def decoder(data: bytes, at: int) -> Decoded:
        count, at = _count(header, data, at)
        descriptor = None
        if described := data[at] == DESCRIBED:
            descriptor, at = _decode(data, at + 1)
        element, at = _DECODERS[data[at]], at + 1
        items = []
        for _ in range(count):
            item, at = element(data, at)
            items.append(Described(descriptor, item) if described else item)
        return items, at

    return decoder


def _count(header: struct.Struct, data: bytes, at: int) -> tuple[int, int]:
    """How many elements a compound says it has, and where they begin."""
    _, count = header.unpack_from(data, at)
    if count > len(data):  # elements of no width would keep the broker busy for minutes
        raise IndexError(f"{count} elements cannot lie in {len(data)} bytes")
    return count, at + header.size


def _part(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise IndexError(f"a value of {end - start} bytes runs past the end")
    return data[start:end]


_BYTE, _PAIR8, _PAIR32 = struct.Struct(">B"), struct.Struct(">BB"), struct.Struct(">II")

_DECODERS: dict[int, Decoder] = {
    NULL: _constant(None),
    0x41: _constant(True),
    0x42: _constant(False),
    0x43: _constant(0),
    0x44: _constant(0),
    LIST0: lambda _, at: ([], at),
    0x50: _number(">B"),
    0x51: _number(">b"),
    0x52: _number(">B"),
    0x53: _number(">B"),
    0x54: _number(">b"),
    0x55: _number(">b"),
    0x56: _number(">?"),
    0x60: _number(">H"),
    0x61: _number(">h"),
    0x70: _number(">I"),
    0x71: _number(">i"),
    0x72: _number(">f"),
    0x73: _character,
    0x74: _opaque(4),
    0x80: _number(">Q"),
    0x81: _number(">q"),
    0x82: _number(">d"),
    0x83: _number(">q"),
    0x84: _opaque(8),
    0x94: _opaque(16),
    0x98: lambda data, at: (uuid.UUID(bytes=_part(data, at, at + 16)), at + 16),
    0xA0: _variable(_BYTE, bytes),
    0xA1: _variable(_BYTE, bytes.decode),
    0xA3: _variable(_BYTE, lambda text: Symbol(text.decode("ascii"))),
    0xB0: _variable(_UINT, bytes),
    0xB1: _variable(_UINT, bytes.decode),
    0xB3: _variable(_UINT, lambda text: Symbol(text.decode("ascii"))),
    LIST8: _list(_PAIR8),
    MAP8: _map(_PAIR8),
    LIST32: _list(_PAIR32),
    MAP32: _map(_PAIR32),
    0xE0: _array(_PAIR8),
    0xF0: _array(_PAIR32),
}
