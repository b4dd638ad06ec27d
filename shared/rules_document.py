"""Rules written out: the form of the YAML files, which is also, as JSON, the form in the table.

Reading a document that was written here gives the same value again. Of the fields that came later only those are written
that say more than their default, so that a version without them still reads a document that makes no use of them.
"""

from collections.abc import Mapping
from typing import Any

from shared.actions import Action, AuthMode, BatchEndpoint, Endpoint, Mode, OnlineEndpoint, Register, Scoring
from shared.assets import WorkspaceId
from shared.durations import duration_text
from shared.rules import EVERYONE, Limits, Provider, RegistryRule
from shared.rules_actions import REGISTER
from shared.rules_provider_shape import ProviderShape
from shared.rules_release import IMMEDIATELY
from shared.rules_tenant_shape import PRESENT, TenantShape
from shared.tenants import AssetPattern, Publication, RuleState, Subscription, TagCondition, Tenant

type Document = Mapping[str, Any]


def provider_from_document(document: Document) -> Provider:
    """pydantic's ValidationError for what is no provider document."""
    return ProviderShape.model_validate(document).value()


def tenant_from_document(document: Document) -> Tenant:
    """pydantic's ValidationError for what is no tenant document."""
    return TenantShape.model_validate(document).value()


def to_document(rules: Provider | Tenant) -> Document:
    return _provider(rules) if isinstance(rules, Provider) else _tenant(rules)


def action_to_document(action: Action) -> str | Document:
    match action:
        case Register(Mode.REFERENCE):
            return REGISTER
        case Register():
            return {"register": {"mode": action.mode.value}}
        case OnlineEndpoint():
            return {"online_endpoint": _online_endpoint(action)}
        case BatchEndpoint():
            return {"batch_endpoint": {"name": action.name, "compute": action.compute, **_common(action)}}


def _online_endpoint(action: OnlineEndpoint) -> Document:
    document = {"name": action.name, "instance_type": action.instance_type, "traffic": list(action.traffic), **_common(action)}
    if action.auth_mode is not AuthMode.KEY:
        document["auth_mode"] = action.auth_mode.value
    if action.sample_request is not None:
        document["sample_request"] = action.sample_request
    return document


def _common(action: Endpoint) -> Document:
    document: dict[str, Any] = {"instance_count": action.instance_count}
    if action.keep != 1:
        document["keep"] = action.keep
    if action.adopt:
        document["adopt"] = True
    if action.scoring is not None:
        document["scoring"] = _scoring(action.scoring)
    return document


def _scoring(scoring: Scoring) -> Document:
    document = {"code": scoring.code, "script": scoring.script}
    return document if scoring.environment is None else {**document, "environment": scoring.environment}


def _provider(provider: Provider) -> Document:
    document = {
        "registries": [_registry(registry) for registry in provider.registries],
        "limits": _limits(provider.limits),
        "groups": {name: list(members) for name, members in provider.groups.items()},
    }
    return document if provider.entra_tenant is None else {"entra_tenant": provider.entra_tenant, **document}


def _registry(registry: RegistryRule) -> Document:
    readers = EVERYONE if registry.readers == (EVERYONE,) else list(registry.readers)
    document: dict[str, Any] = {"name": registry.name, "readers": readers}
    return {**document, "regions": list(registry.regions)} if registry.regions else document


def _limits(limits: Limits) -> Document:
    document: dict[str, Any] = {"instance_types": list(limits.instance_types), "max_instances": limits.max_instances}
    if limits.registries is not None:
        document["registries"] = list(limits.registries)
    if limits.kinds is not None:
        document["kinds"] = [kind.value for kind in limits.kinds]
    return document


def _tenant(tenant: Tenant) -> Document:
    return {
        "id": tenant.id,
        "state": tenant.state.value,
        "workspaces": [_own(workspace, tenant.regions.get(workspace)) for workspace in tenant.workspaces],
        "publications": [_publication(publication) for publication in tenant.publications],
        "subscriptions": [_subscription(subscription) for subscription in tenant.subscriptions],
    }


def _own(workspace: WorkspaceId, region: str | None) -> str | Document:
    return str(workspace) if region is None else {"id": str(workspace), "region": region}


def _publication(publication: Publication) -> Document:
    document: dict[str, Any] = {
        "name": publication.name,
        "registry": publication.registry,
        "assets": [_pattern(pattern) for pattern in publication.assets],
        "workspaces": [str(workspace) for workspace in publication.workspaces],
        "to": list(publication.to),
        "advisory": publication.advisory,
    }
    if publication.rename is not None:
        document["as"] = publication.rename
    if publication.regions:
        document["regions"] = list(publication.regions)
    if publication.environment is not None:
        document["environment"] = publication.environment
    return _unless_active(document, publication.state)


def _subscription(subscription: Subscription) -> Document:
    document = {
        "name": subscription.name,
        "from": list(subscription.from_tenants),
        "assets": [_pattern(pattern) for pattern in subscription.assets],
        "into": str(subscription.into),
        "actions": [action_to_document(action) for action in subscription.actions],
        "release": _release(subscription),
    }
    return _unless_active(document, subscription.state)


def _unless_active(document: Document, state: RuleState) -> Document:
    return document if state is RuleState.ACTIVE else {"name": document["name"], "state": state.value, **document}


def _release(subscription: Subscription) -> str | Document:
    if subscription.approval:
        return {"approval": subscription.approval.value}
    if window := subscription.window:
        return {"window": window.cron, "for": duration_text(window.open_for), "timezone": window.timezone}
    return IMMEDIATELY


def _pattern(pattern: AssetPattern) -> Document:
    document: dict[str, Any] = {"kind": pattern.kind.value, "name": pattern.name}
    if pattern.except_:
        document["except"] = pattern.except_[0] if len(pattern.except_) == 1 else list(pattern.except_)
    if pattern.tags:
        document["tags"] = {condition.tag: _accepted(condition) for condition in pattern.tags}
    return document


def _accepted(condition: TagCondition) -> str | list[str]:
    return PRESENT if condition.one_of is None else list(condition.one_of)
