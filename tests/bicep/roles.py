"""Who may do what, and by which role: read from a deployment, and held to Azure's own names and ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bicep.deployment import Deployment
from tests.bicep.functions import ROLES

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN = {
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "1823dd4f-9b8c-4ab6-ab4e-7397a3684615": "AzureML Registry User",
    "090c5cfd-751d-490a-894a-3ce6f1109419": "Azure Service Bus Data Owner",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Azure Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
}


@dataclass(frozen=True, order=True, slots=True)
class Grant:
    """`scope` is the end of the scope's ARM id: from the type on."""

    who: str
    role: str
    scope: str


def grants(deployment: Deployment, people: Mapping[str, str]) -> set[Grant]:
    """`people` are names by principal id."""
    return {
        Grant(
            people.get(each.properties["principalId"], str(each.properties["principalId"])),
            BUILT_IN.get(each.properties["roleDefinitionId"].removeprefix(ROLES), each.properties["roleDefinitionId"]),
            _scope(each.id),
        )
        for each in deployment.of("Microsoft.Authorization/roleAssignments")
    }


def wrong_names(roles: Mapping[str, str]) -> Iterator[str]:
    """Of roles.json."""
    for name, role_id in roles.items():
        if BUILT_IN.get(role_id) != name:
            yield f"{role_id} is {BUILT_IN.get(role_id, 'no role that is known here')}, and not {name}"


def wrong_assignments(deployment: Deployment) -> Iterator[str]:
    names = set()
    for each in deployment.of("Microsoft.Authorization/roleAssignments"):
        role = BUILT_IN.get(each.properties["roleDefinitionId"].removeprefix(ROLES))
        if role is None:
            yield f"{_scope(each.id)}: {each.properties['roleDefinitionId']} is no role that is known here"
        if not each.properties.get("description"):
            yield f"{_scope(each.id)}: {role} is assigned, and for no operation"
        if not each.properties.get("principalType"):
            yield f"{_scope(each.id)}: {role} is assigned without principalType, and fails for an identity that was just made"
        if each.id in names:
            yield f"{_scope(each.id)}: two assignments have one name"
        names.add(each.id)


def _scope(assignment_id: str) -> str:
    scope = assignment_id.partition("/providers/Microsoft.Authorization/roleAssignments")[0]
    return scope.rpartition("/providers/")[2] if "/providers/" in scope else scope
