"""What compiles, and would not work all the same."""

from collections.abc import Callable, Iterator

import pytest

from tests.bicep import values
from tests.bicep.copies import EVERYTHING, provider, tenant, with_change
from tests.bicep.deployment import Deployment

MAIN, APP, NETWORK, ALERTS = "main.bicep", "modules/function-app.bicep", "modules/network.bicep", "modules/alerts.bicep"
STORAGE, MONITORING = "modules/storage.bicep", "modules/monitoring.bicep"
TOPIC, EVENTS = "tenant/system-topic.bicep", "tenant/event-subscription.bicep"

type Check = Callable[[Deployment], Iterator[str]]


@pytest.mark.parametrize("check", [values.wrong_hosting, values.wrong_network, values.wrong_outcomes, values.wrong_alarms])
@pytest.mark.parametrize("params", [{}, EVERYTHING, {**EVERYTHING, "outcomes": "topic"}])
def test_what_the_provider_deploys_works_together(check: Check, params: dict[str, object]) -> None:
    assert list(check(provider(**params))) == []


@pytest.mark.parametrize("params", [{"webhookUrl": "https://func/…"}, {"eventsQueueId": "/…/queues/events"}])
def test_what_a_tenant_deploys_works_together(params: dict[str, str]) -> None:
    assert list(values.wrong_events(tenant(**params))) == []


def test_what_is_chosen_arrives_where_it_is_meant() -> None:
    made = provider(instanceMemoryMB=4096, maximumInstanceCount=41, failuresAllowedPercent=42, oldestDeliveryMinutes=43)
    [app] = made.of("Microsoft.Web/sites")
    scale = app.properties["functionAppConfig"]["scaleAndConcurrency"]
    assert (scale["instanceMemoryMB"], scale["maximumInstanceCount"]) == (4096, 41)
    alerts = {each.name: each.properties["criteria"]["allOf"][0] for each in made.of("Microsoft.Insights/scheduledQueryRules")}
    assert (alerts["fanout-failures"]["threshold"], alerts["fanout-oldest-delivery"]["threshold"]) == (42, 43)


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
        (values.wrong_hosting, APP, "'ManagedIdentityCredential'", "'EnvironmentCredential'", "credential is"),
        (values.wrong_hosting, APP, "'ClientId=${clientId};Auth", "'Auth", "telemetry is"),
        (values.wrong_hosting, MONITORING, "    WorkspaceResourceId: workspace.id\n", "", "logs is None"),
        (values.wrong_hosting, STORAGE, "isPrivate ? 'Deny' : 'Allow'", "'Allow'", "storage to those outside is Allow"),
        (values.wrong_hosting, MAIN, "Uri string = storage.outputs.table", "Uri string = storage.outputs.blob", "Tables__tableS"),
        (
            values.wrong_hosting,
            MAIN,
            "FANOUT_HOSTNAME string = app.outputs.hostName",
            "FANOUT_HOSTNAME string = app.outputs.name",
            "FANO",
        ),
        (values.wrong_network, NETWORK, "'10.0.4.0/24'", "'10.0.0.0/24'", "subnets share addresses"),
        (values.wrong_network, NETWORK, "subnetId: endpointSubnet.id", "subnetId: appSubnet.id", "is delegated to the app"),
        (values.wrong_network, NETWORK, "privatelink.table.", "privatelink.tables.", "table is looked up in privatelink.tables."),
        (values.wrong_network, NETWORK, "Microsoft.App/environments", "Microsoft.Web/serverFarms", "is not delegated"),
        (values.wrong_network, NETWORK, "natGateway: {", "nat: {", "no address of its own"),
        (values.wrong_outcomes, "modules/outcomes.bicep", "CloudEventSchemaV1_0", "EventGridSchema", "takes EventGridSchema"),
        (values.wrong_alarms, ALERTS, "operator: 'LessThan'", "operator: 'GreaterThan'", "fanout-reconciler-silent: GreaterThan"),
        (values.wrong_alarms, ALERTS, "window: 'PT1H'", "window: 'P7D'", "P7D is too long"),
        (values.wrong_alarms, ALERTS, "    threshold: 1\n", "    threshold: 0\n", "nothing is less than 0"),
        (values.wrong_alarms, ALERTS, "AppTraces\n", "AppRequests\n", "looks into AppRequests"),
        (values.wrong_alarms, ALERTS, "window: 'PT15M'", "window: 'PT5M'", "leaves gaps"),
        (values.wrong_alarms, ALERTS, "    enabled: true\n", "    enabled: false\n", "fanout-dead-letters is not enabled"),
        (values.wrong_alarms, ALERTS, "timeAggregation: 'Maximum'", "timeAggregation: 'Average'", "DeadletteredMessages, Average"),
        (values.wrong_alarms, ALERTS, "'DeadletteredMessages'", "'ActiveMessages'", "fanout-dead-letters: ActiveMessages"),
        (values.wrong_events, TOPIC, "type: 'SystemAssigned'", "type: 'None'", "has no identity"),
        (values.wrong_events, TOPIC, "Services.Workspaces'", "Services.Workspace'", "is of type"),
        (values.wrong_events, EVENTS, "'WebHook'", "'EventHub'", "leads to a EventHub"),
        (values.wrong_events, EVENTS, "'EventGridSchema'", "'CustomInputSchema'", "speaks CustomInputSchema"),
        (values.wrong_events, EVENTS, "Name: deadLetterContainerName", "Name: deadLetterStorageId", "and nobody makes that"),
        (values.wrong_events, EVENTS, "InMinutes: 1440", "InMinutes: 14400", "as Azure does not take it"),
    ],
)
def test_what_would_not_is_found(check: Check, path: str, old: str, new: str, fault: str) -> None:
    sources = with_change(path, old, new)
    deployment = tenant(sources, webhookUrl="https://func/…") if path.startswith("tenant/") else provider(sources, **EVERYTHING)
    assert any(fault in each for each in check(deployment)), list(check(deployment))
