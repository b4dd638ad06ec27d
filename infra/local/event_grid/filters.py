"""Advanced filters: conditions on any field of an event. https://learn.microsoft.com/azure/event-grid/event-filtering"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from infra.local.event_grid.schemas import Body

MOST_FILTERS = MOST_VALUES = 25  # of an event subscription, over all its filters

type _Number = Annotated[float, Field(strict=True)]
type _Text = Annotated[str, StringConstraints(max_length=512, strict=True)]

_MISSING = object()

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "NumberGreaterThan": lambda found, wanted: found > wanted,
    "NumberGreaterThanOrEquals": lambda found, wanted: found >= wanted,
    "NumberLessThan": lambda found, wanted: found < wanted,
    "NumberLessThanOrEquals": lambda found, wanted: found <= wanted,
    "NumberIn": lambda found, wanted: found == wanted,
    "NumberInRange": lambda found, wanted: wanted[0] <= found <= wanted[1],
    "BoolEquals": lambda found, wanted: found is wanted,
    "StringContains": lambda found, wanted: wanted.casefold() in found.casefold(),
    "StringBeginsWith": lambda found, wanted: found.casefold().startswith(wanted.casefold()),
    "StringEndsWith": lambda found, wanted: found.casefold().endswith(wanted.casefold()),
    "StringIn": lambda found, wanted: found.casefold() == wanted.casefold(),
}
_TRUE_WHEN_MISSING = frozenset({"NumberNotIn", "StringNotIn"})  # alone, says the documentation


class _Filter(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    key: str = Field(min_length=1)


class NullFilter(_Filter):
    operator_type: Literal["IsNullOrUndefined", "IsNotNull"]

    @property
    def wanted(self) -> tuple[object, ...]:
        return ()

    def matches(self, body: Body, *, on_arrays: bool) -> bool:  # noqa: ARG002 - as for the others; an array is a value
        is_null = _look_up(body, self.key) in (None, _MISSING)
        return is_null == (self.operator_type == "IsNullOrUndefined")


class _Comparison(_Filter):
    """Any of the wanted values must do, or with an operator that says Not, none may."""

    operator_type: str

    @property
    def wanted(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def matches(self, body: Body, *, on_arrays: bool) -> bool:
        found = _look_up(body, self.key)
        if found is _MISSING:
            return self.operator_type in _TRUE_WHEN_MISSING
        if isinstance(found, list) and not on_arrays:
            return False
        candidates = [each for each in (found if isinstance(found, list) else [found]) if self._is_comparable(each)]
        if not candidates and not isinstance(found, list):
            return False
        operator = self.operator_type.replace("Not", "", 1)
        hit = any(_COMPARED[operator](each, wanted) for each in candidates for wanted in self.wanted)
        return hit != (operator != self.operator_type)

    def _is_comparable(self, value: object) -> bool:
        """Values of another type than the filter's are ignored."""
        if self.operator_type.startswith("Number"):
            return isinstance(value, int | float) and not isinstance(value, bool)
        return isinstance(value, bool if self.operator_type.startswith("Bool") else str)


class NumberFilter(_Comparison):
    operator_type: Literal["NumberGreaterThan", "NumberGreaterThanOrEquals", "NumberLessThan", "NumberLessThanOrEquals"]
    value: _Number

    @property
    def wanted(self) -> tuple[float, ...]:
        return (self.value,)


class NumbersFilter(_Comparison):
    operator_type: Literal["NumberIn", "NumberNotIn"]
    values: tuple[_Number, ...] = Field(min_length=1)

    @property
    def wanted(self) -> tuple[float, ...]:
        return self.values


class RangesFilter(_Comparison):
    operator_type: Literal["NumberInRange", "NumberNotInRange"]
    values: tuple[tuple[_Number, _Number], ...] = Field(min_length=1)

    @property
    def wanted(self) -> tuple[tuple[float, float], ...]:
        return self.values


class BoolFilter(_Comparison):
    operator_type: Literal["BoolEquals"]
    value: Annotated[bool, Field(strict=True)]

    @property
    def wanted(self) -> tuple[bool, ...]:
        return (self.value,)


class TextFilter(_Comparison):
    operator_type: Literal[
        "StringContains",
        "StringNotContains",
        "StringBeginsWith",
        "StringNotBeginsWith",
        "StringEndsWith",
        "StringNotEndsWith",
        "StringIn",
        "StringNotIn",
    ]
    values: tuple[_Text, ...] = Field(min_length=1)

    @property
    def wanted(self) -> tuple[str, ...]:
        return self.values


type AdvancedFilter = Annotated[
    NumberFilter | NumbersFilter | RangesFilter | BoolFilter | TextFilter | NullFilter, Field(discriminator="operator_type")
]


def _look_up(body: Body, key: str) -> Any:
    """`data.key1.key2`, dots being levels; names match whatever their case, as the documentation's examples write them."""
    found: Any = body
    for name in key.split("."):
        if not isinstance(found, dict):
            return _MISSING
        found = next((value for each, value in found.items() if each.casefold() == name.casefold()), _MISSING)
    return found
