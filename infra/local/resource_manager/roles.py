"""Role assignments and role definitions (authorization 2022-04-01; `role-assignments-list-rest.md` has the filters).

They are told, and not enforced: who is refused what stands in the configuration's `denied`.
"""

import re
import uuid
from typing import Any

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.errors import AzureError, resource_not_found
from infra.local.resource_manager.built_in_roles import BUILT_IN
from infra.local.resource_manager.requests import demand_version
from infra.local.resource_manager.surroundings import Assignment, CustomRole

API = "2022-04-01"
_TYPES = "Microsoft.Authorization"
_OBJECT_ID = r"'\{?(?P<principal>[0-9a-fA-F-]{36})\}?'"
_FILTER = re.compile(
    rf"(?P<at_scope>atScope\(\))?( and )?((?P<transitive>assignedTo\()|principalId eq ){_OBJECT_ID}\)?|atScope\(\)"
)


class Roles:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(r"/subscriptions/{scope:.+}/providers/Microsoft.Authorization/roleAssignments", self._assignments),
            web.get("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}", self._definition),
        ]

    async def _assignments(self, request: web.Request) -> web.Response:
        """Of one principal, with its groups or without: at the scope, above it, and unless `atScope` below it."""
        scope = f"/subscriptions/{request.match_info['scope']}"
        demand_version(request, API)
        caller_of(request).demand(scope, write=False)
        self._check_known(scope)
        text = request.query.get("$filter", "")
        asked = _FILTER.fullmatch(text) if text else None
        if text and asked is None:
            raise AzureError(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
        found = [each for each in self._cloud.around.now.role_assignments if self._is_asked_for(each, asked, scope)]
        return web.json_response({"value": [self._body(each, scope) for each in found]})

    async def _definition(self, request: web.Request) -> web.Response:
        demand_version(request, API)
        caller_of(request).demand(f"/subscriptions/{request.match_info['subscription']}", write=False)
        name = request.match_info["role"]
        role = self._role(name)
        if role is None:
            raise AzureError(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist.")
        built_in = role in BUILT_IN
        scope = "/" if built_in else f"/subscriptions/{request.match_info['subscription']}"
        return web.json_response(
            {
                "properties": {
                    "roleName": role.name,
                    "type": "BuiltInRole" if built_in else "CustomRole",
                    "description": "",
                    "assignableScopes": [scope],
                    "permissions": [each.model_dump(by_alias=True) for each in role.permissions],
                },
                "id": f"{scope.rstrip('/')}/providers/{_TYPES}/roleDefinitions/{role.id}",
                "type": f"{_TYPES}/roleDefinitions",
                "name": role.id,
            }
        )

    def _check_known(self, scope: str) -> None:
        """Raises AzureError 404 for what is neither there nor above, nor below, anything that is."""
        config = self._cloud.config
        registries = (
            f"/subscriptions/{each.subscription}/resourceGroups/{each.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/registries/{each.name}"
            for each in config.registries
        )
        known = [*(each.id for each in config.workspaces), *(each.storage_id for each in config.workspaces), *registries]
        if not any(_is_above(each, scope) or _is_above(scope, each) for each in known):
            resource = scope.partition("/providers/")[2] or scope
            raise resource_not_found(resource, "unknown")

    def _is_asked_for(self, assignment: Assignment, asked: re.Match[str] | None, scope: str) -> bool:
        above, below = _is_above(assignment.scope, scope), _is_above(scope, assignment.scope)
        if asked is None or asked["principal"] is None:
            return above or (below and asked is None)
        groups = self._groups_of(asked["principal"]) if asked["transitive"] else set()
        its = assignment.principal.lower() in {asked["principal"].lower(), *groups}
        return its and (above or (below and not asked["at_scope"]))

    def _groups_of(self, principal: str) -> set[str]:
        """Groups in groups too."""
        found: set[str] = set()
        ahead = [principal.lower()]
        while ahead:
            member = ahead.pop()
            for group, members in self._cloud.around.now.groups.items():
                if member in map(str.lower, members) and group.lower() not in found:
                    found.add(group.lower())
                    ahead.append(group.lower())
        return found

    def _role(self, name: str) -> CustomRole | None:
        roles = (*BUILT_IN, *self._cloud.around.now.roles)
        return next((each for each in roles if name.lower() in (each.id.lower(), each.name.lower())), None)

    def _body(self, assignment: Assignment, scope: str) -> dict[str, Any]:
        role, name = self._role(assignment.role), str(uuid.uuid5(uuid.NAMESPACE_URL, repr(assignment)))
        assert role, f"there is no role {assignment.role}"
        subscription = "/".join(scope.split("/")[:3])
        return {
            "properties": {
                "roleDefinitionId": f"{subscription}/providers/{_TYPES}/roleDefinitions/{role.id}",
                "principalId": assignment.principal,
                "principalType": "Group" if assignment.principal in self._cloud.around.now.groups else "ServicePrincipal",
                "scope": assignment.scope,
                "condition": None,
                "conditionVersion": None,
                "description": None,
            },
            "id": f"{assignment.scope}/providers/{_TYPES}/roleAssignments/{name}",
            "type": f"{_TYPES}/roleAssignments",
            "name": name,
        }


def _is_above(scope: str, other: str) -> bool:
    """Or the same."""
    return f"{other.lower()}/".startswith(f"{scope.lower().rstrip('/')}/")
