"""Which principal may do what: everything, except below the scopes that the configuration denies to it."""

from dataclasses import dataclass

from infra.local.azure_ml.config import PROVIDER, Denial
from infra.local.azure_ml.errors import AzureError


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, what it may not do, and the type of the resource that it asked for: "<provider>/workspaces/models"."""

    principal: str
    denied: tuple[Denial, ...]
    resource_type: str

    def demand(self, scope: str, *, write: bool) -> None:
        """Raise 403 unless the caller may read (or write) at `scope`, an ARM id or `registry:<name>`."""
        if any((write or denial.actions == "all") and _covers(denial.scope, scope) for denial in self.denied):
            action = f"{self.resource_type}/{'write' if write else 'read'}"
            message = (
                f"The client '{self.principal}' with object id '{self.principal}' does not have authorization to perform "
                f"action '{action}' over scope '{scope}' or the scope is invalid. "
                "If access was recently granted, please refresh your credentials."
            )
            raise AzureError(403, "AuthorizationFailed", message)


def caller(principal: str, denials: list[Denial], path: str) -> Caller:
    denied = tuple(denial for denial in denials if denial.principal in ("*", principal))
    return Caller(principal, denied, _resource_type(path))


def _resource_type(path: str) -> str:
    """The provider, and every second part of what follows it: types and names alternate."""
    _, found, rest = path.rpartition("/providers/")
    if not found:
        return "Microsoft.Resources/subscriptions" if path.startswith("/subscriptions/") else f"{PROVIDER}/registries"
    provider, _, parts = rest.partition("/")
    return "/".join([provider, *parts.split("/")[::2]])


def _covers(denied: str, scope: str) -> bool:
    denied, scope = denied.lower().rstrip("/"), scope.lower()
    return scope == denied or scope.startswith(f"{denied}/")
