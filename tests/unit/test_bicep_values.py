"""What compiles, and would not work all the same."""

from collections.abc import Callable, Iterator

import pytest

from tests.bicep import values
from tests.bicep.copies import EVERYTHING, provider, tenant, with_change
from tests.bicep.deployment import Deployment

MAIN, APP, NETWORK, ALERTS = "main.bicep", "modules/function-app.bicep", "modules/network.bicep", "modules/alerts.bicep"
TOPIC, EVENTS = "tenant/system-topic.bicep", "tenant/event-subscription.bicep"

type Check = Callable[[Deployment], Iterator[str]]


@pytest.mark.parametrize("check", [values.wrong_hosting, values.wrong_network, values.wrong_outcomes, values.wrong_alarms])
@pytest.mark.parametrize("params", [{}, EVERYTHING, {**EVERYTHING, "outcomes": "topic"}])
def test_what_the_provider_deploys_works_together(check: Check, params: dict[str, object]) -> None:
    assert list(check(provider(**params))) == []


def test_what_a_tenant_deploys_works_together() -> None:
    assert list(values.wrong_events(tenant(webhookUrl="https://func/…"))) == []


@pytest.mark.parametrize(
    ("check", "path", "old", "new", "fault"),
    [
        (values.wrong_hosting, APP, "name: 'FC1'", "name: 'Y1'", "plan is"),
        (values.wrong_hosting, APP, "type: 'UserAssigned'\n", "type: 'SystemAssigned'\n", "identity is"),
        (values.wrong_hosting, APP, "'UserAssignedIdentity'", "'SystemAssignedIdentity'", "package is"),
        (values.wrong_hosting, APP, "'${blobEndpoint}${pack", "'${tableEndpoint}${pack", "package is"),
        (values.wrong_hosting, APP, "blobServiceUri: blobEndpoint", "blobServiceUri: tableEndpoint", "host's storage is"),
        (values.wrong_hosting, APP, "ServiceUri: tableEndpoint", "ServiceUri: blobEndpoint", "tables is"),
        (values.wrong_hosting, APP, "    httpsOnly: true\n", "", "https only is None"),
        (values.wrong_hosting, MAIN, "= identity.outputs.principalId", "= identity.outputs.clientId", "FANOUT_PRINCIPAL_ID is"),
        (values.wrong_network, NETWORK, "privatelink.table.", "privatelink.tables.", "table is looked up in privatelink.tables."),
        (values.wrong_network, NETWORK, "Microsoft.App/environments", "Microsoft.Web/serverFarms", "is not delegated"),
        (values.wrong_network, NETWORK, "natGateway: {", "nat: {", "no address of its own"),
        (values.wrong_outcomes, "modules/outcomes.bicep", "CloudEventSchemaV1_0", "EventGridSchema", "takes EventGridSchema"),
        (values.wrong_alarms, ALERTS, "operator: 'LessThan'", "operator: 'GreaterThan'", "fanout-reconciler-silent: GreaterThan"),
        (values.wrong_alarms, ALERTS, "window: 'PT1H'", "window: 'P7D'", "P7D is too long"),
        (values.wrong_alarms, ALERTS, "'DeadletteredMessages'", "'ActiveMessages'", "fanout-dead-letters: ActiveMessages"),
        (values.wrong_events, TOPIC, "type: 'SystemAssigned'", "type: 'None'", "has no identity"),
        (values.wrong_events, TOPIC, "Services.Workspaces'", "Services.Workspace'", "is of type"),
        (values.wrong_events, EVENTS, "InMinutes: 1440", "InMinutes: 14400", "as Azure does not take it"),
    ],
)
def test_what_would_not_is_found(check: Check, path: str, old: str, new: str, fault: str) -> None:
    sources = with_change(path, old, new)
    deployment = tenant(sources, webhookUrl="https://func/…") if path.startswith("tenant/") else provider(sources, **EVERYTHING)
    assert any(fault in each for each in check(deployment)), list(check(deployment))
