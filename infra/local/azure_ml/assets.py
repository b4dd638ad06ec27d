"""Versioned assets, of a workspace or of a registry alike: where they are kept, and how they are listed.

A container ("models/N") holds versions ("models/N/versions/V"). The kinds differ in their properties only (asset_kinds.py).
"""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.state import Document, State
from infra.local.azure_ml.times import system_data

# The public API documents no dots, yet the public registry is full of names such as Phi-3.5-mini-instruct.
NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}$")
VERSION = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}$")
MODELS, DATA, ENVIRONMENTS, COMPONENTS, CODES = "models", "data", "environments", "components", "codes"
PAGE = 30


class Assets:
    """Documents {"name", "version", "properties", "systemData", …} per owner (workspace or registry), kind and name."""

    def __init__(self, state: State) -> None:
        self._state = state

    def version(self, owner: str, kind: str, name: str, version: str) -> Document | None:
        return self._state.get(f"{kind} version", f"{owner}/{name}", version)

    def versions(self, owner: str, kind: str, name: str) -> list[Document]:
        """In the order of their creation."""
        return self._state.within(f"{kind} version", f"{owner}/{name}")

    def container(self, owner: str, kind: str, name: str) -> Document | None:
        return self._state.get(kind, owner, name)

    def containers(self, owner: str, kind: str) -> list[Document]:
        return self._state.within(kind, owner)

    def named_containers(self, owner: str, kind: str) -> list[Document]:
        """Without those that hold anonymous versions only: the service keeps them out of its lists."""
        containers = self.containers(owner, kind)
        return [container for container in containers if not self._is_anonymous(self.versions(owner, kind, container["name"]))]

    def everything(self, owner: str, kind: str) -> list[Document]:
        """All versions of all names."""
        names = [container["name"] for container in self.containers(owner, kind)]
        return [document for name in names for document in self.versions(owner, kind, name)]

    def latest(self, owner: str, kind: str, name: str) -> Document | None:
        """The version created last, archived ones left out."""
        active = [document for document in self.versions(owner, kind, name) if not document["properties"]["isArchived"]]
        return active[-1] if active else None

    def write_version(self, owner: str, kind: str, document: Document, principal: str) -> None:
        """Create or replace a version, and its container with the first one."""
        name = document["name"]
        with self._state.transaction():
            if self.container(owner, kind, name) is None:
                self.write_container(owner, kind, {"name": name, "isArchived": False, "systemData": system_data(principal)})
            self._state.put(f"{kind} version", f"{owner}/{name}", document["version"], document)

    def delete_version(self, owner: str, kind: str, name: str, version: str) -> None:
        self._state.delete(f"{kind} version", f"{owner}/{name}", version)

    def write_container(self, owner: str, kind: str, document: Document) -> None:
        self._state.put(kind, owner, document["name"], document)

    @staticmethod
    def _is_anonymous(versions: list[Document]) -> bool:
        return bool(versions) and all(version["properties"]["isAnonymous"] for version in versions)


def named_container(name: str, asked: Document, principal: str, before: Document | None) -> Document:
    """A container as a PUT asks for it."""
    return {
        "name": name,
        "isArchived": bool(asked.get("isArchived", False)),
        "description": asked.get("description"),
        "tags": asked.get("tags") or {},
        "properties": asked.get("properties") or {},
        "systemData": system_data(principal, before["systemData"] if before else None),
    }


def with_changes(before: Document, properties: Document, asked: Document, principal: str) -> Document:
    """The version after an update: its `properties`, and of what was asked the three that anyone can change."""
    changed = {
        "tags": asked.get("tags") or {},
        "description": asked.get("description"),
        "isArchived": bool(asked.get("isArchived", False)),
    }
    return {
        **before,
        "properties": {**before["properties"], **properties, **changed},
        "systemData": system_data(principal, before["systemData"]),
    }


def check_name(name: str, version: str, location: str) -> None:
    if not NAME.match(name):
        message = f"Asset name {name!r} is invalid: it must begin with a letter or digit and match {NAME.pattern}"
        raise front_end_error(400, message, location)
    if not VERSION.match(version):
        raise front_end_error(400, f"Asset version {version!r} is invalid: it must match {VERSION.pattern}", location)


def container_body(container_id: str, kind: str, document: Document, versions: list[Document]) -> dict[str, Any]:
    """A name's own entry, above its versions: in a workspace and in a registry alike, but for id and type."""
    return {
        "id": container_id,
        "name": document["name"],
        "type": kind,
        "properties": _container_properties(document, versions),
        "systemData": document["systemData"],
    }


def _container_properties(document: Document, versions: list[Document]) -> dict[str, Any]:
    active = [version["version"] for version in versions if not version["properties"]["isArchived"]]
    numbers = [int(version["version"]) for version in versions if version["version"].isdigit()]
    properties = {
        "description": document.get("description"),
        "tags": document.get("tags", {}),
        "properties": document.get("properties", {}),
        "isArchived": document["isArchived"],
        "latestVersion": active[-1] if active else None,
        "nextVersion": str(max(numbers, default=0) + 1),
    }
    types = [version["properties"]["dataType"] for version in versions if "dataType" in version["properties"]]
    return {**properties, "dataType": types[-1]} if types else properties


def listed(request: web.Request, archived: Callable[[Document], bool], documents: list[Document]) -> list[Document]:
    """What `listViewType` and `$orderBy` leave, newest first unless asked otherwise.

    The SDK sends a registry the text of its enumeration's member ("ListViewType.ACTIVE_ONLY").
    """
    view = request.query.get("listViewType", "ActiveOnly").rpartition(".")[2].replace("_", "").lower()
    wanted = {"activeonly": (False,), "archivedonly": (True,), "all": (False, True)}.get(view, (False,))
    found = [document for document in documents if archived(document) in wanted]
    order = request.query.get("$orderBy", "createdtime desc").lower()
    return found if order.endswith("asc") else found[::-1]


def paged(request: web.Request, base_url: str, values: list[Any]) -> web.Response:
    """`$top` bounds the whole answer; without it pages of 30 are linked by `nextLink`."""
    skip, top = int(request.query.get("$skip", 0)), request.query.get("$top")
    if top is not None:
        return web.json_response({"value": values[skip : skip + int(top)], "nextLink": None})
    next_link = None
    if len(values) > skip + PAGE:
        next_link = f"{base_url.rstrip('/')}{request.rel_url.update_query({'$skip': str(skip + PAGE)})}"
    return web.json_response({"value": values[skip : skip + PAGE], "nextLink": next_link})
