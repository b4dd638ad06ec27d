"""Rows as table entities, and back: readable values are columns of their own, composed ones JSON."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from shared.errors import Unreadable

LONGEST_STRING = 30_000  # characters in one property: 64 KB of UTF-16, less a margin
JSON_SUFFIX = "_json"

type Entity = dict[str, Any]


class RowCodec[R]:
    """One kind of row. A field that JSON cannot show as a string, number or boolean goes into `<field>_json[_1…]`."""

    def __init__(self, row_type: type[R], partition: str = "partition", row: str = "row") -> None:
        self._adapter: TypeAdapter[R] = TypeAdapter(row_type)
        self._partition, self._row = partition, row
        self._names = {field.name for field in fields(cast(Any, row_type))}

    def to_entity(self, row: R, partition: str, row_key: str) -> Entity:
        entity: Entity = {"PartitionKey": partition, "RowKey": row_key}
        for name, value in self._adapter.dump_python(row, mode="json").items():
            original = getattr(row, name)
            if name in ("etag", self._partition, self._row) or value is None:
                continue
            if isinstance(original, datetime):
                entity[name] = original.astimezone(UTC)
            elif isinstance(value, str | int | bool):
                entity[name] = value
            else:
                entity |= _json_properties(name, json.dumps(value, ensure_ascii=False))
        return entity

    def to_row(self, entity: Mapping[str, Any], **keys: str) -> R:
        values: dict[str, Any] = keys | {name: value for name, value in entity.items() if name in self._names}
        for name in self._names:
            if f"{name}{JSON_SUFFIX}" in entity:
                values[name] = json.loads(_joined(entity, f"{name}{JSON_SUFFIX}"))
        try:
            return self._adapter.validate_python(values)
        except ValidationError as wrong:
            text = f"row {entity.get('PartitionKey')}/{entity.get('RowKey')} is not one that this version can read: {wrong}"
            raise Unreadable(text[:800]) from wrong


def _json_properties(name: str, text: str) -> dict[str, str]:
    parts = [text[at : at + LONGEST_STRING] for at in range(0, len(text), LONGEST_STRING)]
    return {f"{name}{JSON_SUFFIX}" + (f"_{n}" if n else ""): part for n, part in enumerate(parts)}


def _joined(entity: Mapping[str, Any], name: str) -> str:
    parts = [str(entity[name])]
    while (further := f"{name}_{len(parts)}") in entity:
        parts.append(str(entity[further]))
    return "".join(parts)
