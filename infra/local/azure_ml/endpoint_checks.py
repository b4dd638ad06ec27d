"""What every change of an endpoint or a deployment must pass, whatever its kind: existence, states, names, numbers, cores."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from infra.local.azure_ml.config import CloudConfig, Workspace
from infra.local.azure_ml.endpoint_store import EndpointKind, EndpointStore, is_changing, provisioning_state
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.vm_sizes import family
from infra.local.resource_manager.surroundings import Around

NAME = re.compile(r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
NAME_TAKEN = "There is already an endpoint with this name, Endpoint name needs to be unique within a region. Try some other name."
OUT_OF_QUOTA = "OutOfQuota"


def known_endpoint(store: EndpointStore, workspace: Workspace, name: str) -> Document:
    document = store.endpoint(workspace, name)
    if document is None:
        raise store.kind.refusal(404, f"Endpoint {name} was not found.", workspace)
    return document


def check_idle(kind: EndpointKind, workspace: Workspace, document: Document, what: str) -> None:
    """What is being changed cannot be changed again: 409, until the running operation has ended."""
    if is_changing(document):
        state = provisioning_state(document)
        message = f"The {what} is {state}: another operation on it is in progress. Try again after it has completed."
        raise kind.refusal(409, message, workspace)


def check_resource_name(kind: EndpointKind, workspace: Workspace, name: str, what: str) -> None:
    if not 3 <= len(name) <= 32 or not NAME.match(name):
        message = (
            f"The {what} name {name!r} is invalid: 3 to 32 characters, letters, digits and hyphens, beginning with a letter "
            "and ending with a letter or digit."
        )
        raise kind.refusal(400, message, workspace)


class RegionLimits:
    """Azure counts online and batch together; their names share a region too, since both become hosts of one domain there."""

    def __init__(self, config: CloudConfig, around: Around, stores: Sequence[EndpointStore]) -> None:
        self._limits = config.limits
        self._around = around
        self._stores = stores

    def check_new_endpoint(self, kind: EndpointKind, workspace: Workspace, name: str) -> None:
        """Raises AzureError 400 where the name is taken or the limit is reached."""
        check_resource_name(kind, workspace, name, "endpoint")
        there = [found for store in self._stores for found in store.in_region(workspace.location)]
        if any(document["name"].lower() == name.lower() for _workspace, document in there):
            raise kind.refusal(400, NAME_TAKEN, workspace)
        mine = sum(owner.subscription.lower() == workspace.subscription.lower() for owner, _document in there)
        if mine >= self._limits.endpoints:
            message = f"The subscription has reached its limit of {mine} endpoints in this region."
            raise kind.refusal(400, message, workspace)

    def check_new_deployment(self, kind: EndpointKind, workspace: Workspace, beside: list[Document]) -> None:
        """`beside` are the deployments that its endpoint has."""
        if len(beside) >= self._limits.deployments_per_endpoint:
            message = f"An endpoint can have at most {self._limits.deployments_per_endpoint} deployments."
            raise kind.refusal(400, message, workspace)
        count = sum(1 for _deployment in self._deployments(workspace))
        if count >= self._limits.deployments:
            message = f"The subscription has reached its limit of {count} deployments in this region."
            raise kind.refusal(400, message, workspace)

    def core_shortage(
        self, workspace: Workspace, instance_type: str, needed: int, replaced: Document | None
    ) -> dict[str, str] | None:
        """The failure of an operation that needs more cores than are left; `replaced` is the deployment that it updates.

        A batch deployment needs none: it runs on a cluster of its workspace.
        """
        if not needed:
            return None
        freed = replaced.get("cores", 0) if replaced else 0
        families = self.cores_used(workspace.subscription, workspace.location)
        own = family(instance_type)
        quotas = ((families[own], self.core_quota(workspace.subscription, own)), (families.total(), self._limits.cores))
        short = next(((used - freed, quota) for used, quota in quotas if used - freed + needed > quota), None)
        if short is None:
            return None
        message = (
            f"Not enough quota available for {instance_type} in SubscriptionId {workspace.subscription}. "
            f"Current usage/limit: {short[0]}/{short[1]}. Additional needed: {needed} "
            "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"
        )
        return {"code": OUT_OF_QUOTA, "message": message}

    def core_quota(self, subscription: str, vm_family: str) -> int:
        return self._around.now.cores.get(f"{vm_family}@{subscription}", self._limits.cores)

    def cores_used(self, subscription: str, region: str) -> Counter[str]:
        """By VM family."""
        used = Counter[str]()
        for deployment in self._deployments_in(subscription, region):
            if cores := deployment.get("cores", 0):
                used[family(deployment["body"]["properties"]["instanceType"])] += cores
        return used

    def _deployments(self, workspace: Workspace) -> Iterator[Document]:
        """All of the workspace's Azure subscription in its region."""
        return self._deployments_in(workspace.subscription, workspace.location)

    def _deployments_in(self, subscription: str, region: str) -> Iterator[Document]:
        for store in self._stores:
            for owner, endpoint in store.in_region(region):
                if owner.subscription.lower() == subscription.lower():
                    yield from store.deployments(owner, endpoint["name"])
