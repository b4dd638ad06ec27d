"""AMQP 1.0 values into bytes.

AMQP is typed on the wire and clients look at the types, so there is one function for each type and callers name the one
they mean: the same 5 can be a uint, a long or a timestamp. Compound values take elements that are encoded already.
"""

import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence

_USHORT, _UINT, _INT, _ULONG, _LONG = (struct.Struct(layout) for layout in (">H", ">I", ">i", ">Q", ">q"))

null = b"\x40"
true, false = b"\x41", b"\x42"


def boolean(value: bool) -> bytes:
    return true if value else false


def ubyte(value: int) -> bytes:
    return bytes((0x50, value))


def ushort(value: int) -> bytes:
    return b"\x60" + _USHORT.pack(value)


def uint(value: int) -> bytes:
    if value == 0:
        return b"\x43"
    return bytes((0x52, value)) if value < 256 else b"\x70" + _UINT.pack(value)


def integer(value: int) -> bytes:
    return b"\x71" + _INT.pack(value)


def ulong(value: int) -> bytes:
    return b"\x80" + _ULONG.pack(value)


def long(value: int) -> bytes:
    return b"\x81" + _LONG.pack(value)


def timestamp(milliseconds: int) -> bytes:
    return b"\x83" + _LONG.pack(milliseconds)


def guid(value: uuid.UUID) -> bytes:
    return b"\x98" + value.bytes


def binary(value: bytes) -> bytes:
    return _variable(0xA0, value)


def string(value: str) -> bytes:
    return _variable(0xA1, value.encode())


def symbol(value: str) -> bytes:
    return _variable(0xA3, value.encode("ascii"))


def optional_string(value: str | None) -> bytes:
    return null if value is None else string(value)


def listing(items: Sequence[bytes | None]) -> bytes:
    """A list. None stands for null; trailing nulls are left out, as the standard allows."""
    last = len(items)
    while last and items[last - 1] is None:
        last -= 1
    if last == 0:
        return b"\x45"
    return _compound(0xC0, last, b"".join(null if item is None else item for item in items[:last]))


def mapping(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    flat = [part for pair in pairs for part in pair]
    return _compound(0xC1, len(flat), b"".join(flat))


def string_map(values: Mapping[str, bytes]) -> bytes:
    return mapping((string(key), value) for key, value in values.items())


def symbol_map(values: Mapping[str, bytes]) -> bytes:
    return mapping((symbol(key), value) for key, value in values.items())


def array(elements: Sequence[bytes]) -> bytes:
    """An array of encoded values of one fixed-width type."""
    body = elements[0][:1] + b"".join(element[1:] for element in elements)
    return b"\xf0" + _UINT.pack(len(body) + 4) + _UINT.pack(len(elements)) + body


def symbol_array(values: Sequence[str]) -> bytes:
    encoded = [value.encode("ascii") for value in values]
    return array([b"\xb3" + _UINT.pack(len(text)) + text for text in encoded])


def described(descriptor: int, value: bytes) -> bytes:
    return b"\x00" + (bytes((0x53, descriptor)) if descriptor < 256 else ulong(descriptor)) + value


def composite(descriptor: int, *fields: bytes | None) -> bytes:
    """A performative, an outcome, an error: a described list of fields."""
    return described(descriptor, listing(fields))


def _variable(short: int, value: bytes) -> bytes:
    if len(value) < 256:
        return bytes((short, len(value))) + value
    return bytes((short + 0x10,)) + _UINT.pack(len(value)) + value


def _compound(short: int, count: int, body: bytes) -> bytes:
    if len(body) < 255 and count < 256:
        return bytes((short, len(body) + 1, count)) + body
    return bytes((short + 0x10,)) + _UINT.pack(len(body) + 4) + _UINT.pack(count) + body
