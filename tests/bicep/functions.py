"""The functions of Bicep that the templates use, and what they answer on paper."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.bicep.reading import BicepError


class Later(str):
    """What only Azure knows, such as an address: a text that says where it would come from."""

    __slots__ = ()


GROUP, SUBSCRIPTION = "/subscriptions/s/resourceGroups/rg", "/subscriptions/s"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"


def _group(*names: str) -> dict[str, str]:
    """Of that name, or the one that is deployed to; in another Azure subscription where two are given."""
    name = names[-1] if names else "rg"
    subscription = f"/subscriptions/{names[0]}" if len(names) > 1 else SUBSCRIPTION
    return {"id": f"{subscription}/resourceGroups/{name}", "name": name, "location": "westeurope"}


def _union(*objects: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for each in objects for key, value in each.items()}


def _unique_string(*parts: str) -> str:
    return hashlib.sha256("-".join(parts).encode()).hexdigest()[:13]


def _role_definition(kind: str, name: str) -> str:
    if kind != "Microsoft.Authorization/roleDefinitions":
        raise BicepError(f"subscriptionResourceId of {kind}: only role definitions are known here")
    return ROLES + name


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "concat": lambda *lists: [item for each in lists for item in each],
    "contains": lambda container, item: item in container,
    "empty": lambda value: not value,
    "environment": lambda: {"suffixes": {"storage": "core.windows.net"}},
    "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_OID, "-".join(parts))),
    "replace": lambda text, old, new: type(text)(text.replace(old, new)),
    "resourceGroup": _group,
    "string": str,
    "subscription": lambda: {"id": SUBSCRIPTION, "subscriptionId": "s"},
    "subscriptionResourceId": _role_definition,
    "take": lambda text, most: text[:most],
    "tenant": lambda: {"tenantId": Later("‹tenant id›")},
    "toLower": lambda text: type(text)(text.lower()),
    "union": _union,
    "uniqueString": _unique_string,
}
