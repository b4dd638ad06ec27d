"""pydantic's errors about a rules document, in the words of whoever wrote it, with what to do about each."""

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shared import rules_actions, rules_provider_shape, rules_tenant_shape
from shared.marked_yaml import Path, shortened

_REMEDIES = {
    "missing": "add it",
    "string_type": "write a text, in quotes where YAML would take it for something else",
    "string_too_short": "write a text",
    "bool_type": "write true or false",
    "int_type": "write a whole number, without quotes",
    "list_type": "write a list: [ … ]",
    "dict_type": "write fields, one `name: value` a line",
    "model_type": "write fields, one `name: value` a line",
    "too_short": "list at least one, or remove the rule that it belongs to",
    "greater_than_equal": "write a greater number",
    "less_than_equal": "write a smaller number",
    "invalid_key": "write a text as the field's name, in quotes where YAML would take it for something else",
}
_WORDS = {
    "missing": "is missing",
    "string_type": "is not a text",
    "list_type": "is not a list",
    "dict_type": "has no fields",
    "model_type": "has no fields",
    "too_short": "is empty",
}


def complaint(error: ErrorDetails) -> tuple[Path, str, str]:
    """Where in the document, what is wrong there, and the remedy."""
    path = tuple(step for step in error["loc"] if not str(step).startswith(("<", "[")))
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return path, "is no field here", _instead_of(str(path[-1]))
    if kind in ("enum", "literal_error"):
        return path, f"{shortened(repr(error['input']))} cannot stand here", f"write {context['expected']}"
    what = _WORDS.get(kind, error["msg"][:1].lower() + error["msg"][1:])
    return path, shortened(what), str(context.get("remedy") or _REMEDIES.get(kind, "correct it"))


def _instead_of(field: str) -> str:
    similar = get_close_matches(field, set(_fields()) - {field}, n=1)
    return f"did you mean {similar[0]!r}? Otherwise remove it" if similar else "remove it"


def _fields() -> Iterator[str]:
    for shape in (*vars(rules_actions).values(), *vars(rules_provider_shape).values(), *vars(rules_tenant_shape).values()):
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            yield from (field.alias or name for name, field in shape.model_fields.items())
