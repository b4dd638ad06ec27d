"""Values that a compiler lets pass and by which nothing would work. Each answers what is wrong."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from itertools import combinations

from pydantic import TypeAdapter

from shared.doctor.events import TOPIC_TYPE
from tests.bicep.deployment import Deployment, Resource
from tests.bicep.needs import app_settings

# https://learn.microsoft.com/azure/private-link/private-endpoint-dns
ZONES = {
    "blob": "privatelink.blob.core.windows.net",
    "table": "privatelink.table.core.windows.net",
    "namespace": "privatelink.servicebus.windows.net",
    "topic": "privatelink.eventgrid.azure.net",
    "domain": "privatelink.eventgrid.azure.net",
}
MOST_ATTEMPTS, MOST_MINUTES = 30, 1_440  # https://learn.microsoft.com/azure/event-grid/delivery-and-retry
LONGEST_WINDOW = timedelta(days=2)  # of a query: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types#log-alerts


def wrong_hosting(deployment: Deployment) -> Iterator[str]:
    """How the app is deployed, by whom it acts, and where its host and its rows lie."""
    [app], [plan] = deployment.of("Microsoft.Web/sites"), deployment.of("Microsoft.Web/serverfarms")
    [identity] = deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    [storage] = deployment.of("Microsoft.Storage/storageAccounts")
    [container] = deployment.of("Microsoft.Storage/storageAccounts/blobServices/containers")
    [insights], [logs] = deployment.of("Microsoft.Insights/components"), deployment.of("Microsoft.OperationalInsights/workspaces")
    blobs, tables = (
        f"‹Microsoft.Storage/storageAccounts/{storage.name}.properties.primaryEndpoints.{one}›" for one in ("blob", "table")
    )
    kept, settings = app.properties["functionAppConfig"]["deployment"]["storage"], app_settings(deployment)
    by = {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": identity.id}
    wanted = {
        "plan": (plan.body["sku"], {"name": "FC1", "tier": "FlexConsumption"}),
        "identity": (app.body["identity"], {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}),
        "package": (kept, {"type": "blobContainer", "value": f"{blobs}{container.name}", "authentication": by}),
        "host's storage": (settings["AzureWebJobsStorage__blobServiceUri"], blobs),
        "tables": (settings["Tables__tableServiceUri"], tables),
        "https only": (app.properties.get("httpsOnly"), True),
        "storage to those outside": (
            storage.properties["networkAcls"]["defaultAction"],
            "Deny" if storage.properties["publicNetworkAccess"] == "Disabled" else "Allow",
        ),
        "credential": (settings["AZURE_TOKEN_CREDENTIALS"], "ManagedIdentityCredential"),
        "telemetry": (
            settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"],
            f"ClientId={settings['AZURE_CLIENT_ID']};Authorization=AAD",
        ),
        "logs": (insights.properties.get("WorkspaceResourceId"), logs.id),  # the alerts look there
        "Tables__tableServiceUri": (deployment.outputs["Tables__tableServiceUri"], tables),
        "FANOUT_HOSTNAME": (deployment.outputs["FANOUT_HOSTNAME"], f"‹Microsoft.Web/sites/{app.name}.properties.defaultHostName›"),
        "FANOUT_PRINCIPAL_ID": (
            deployment.outputs["FANOUT_PRINCIPAL_ID"],
            f"‹Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}.properties.principalId›",
        ),
    }
    yield from (f"{what} is {has}, and not {needs}" for what, (has, needs) in wanted.items() if has != needs)


def wrong_network(deployment: Deployment) -> Iterator[str]:
    """A private endpoint is found by a name in its zone; Flex Consumption takes a subnet that is delegated to it."""
    zones = {each.id: each.name for each in deployment.of("Microsoft.Network/privateDnsZones")}
    for group in deployment.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
        for each in group.properties["privateDnsZoneConfigs"]:
            zone = zones[each["properties"]["privateDnsZoneId"]]
            if zone != ZONES[each["name"]]:
                yield f"{each['name']} is looked up in {zone}"
    for endpoint in deployment.of("Microsoft.Network/privateEndpoints"):
        if not endpoint.properties["subnet"]["id"].endswith("/subnets/private-endpoints"):
            yield f"{endpoint.name} lies in a subnet that is delegated to the app"
    for network in deployment.of("Microsoft.Network/virtualNetworks"):
        ranges = [ip_network(each["properties"]["addressPrefix"]) for each in network.properties["subnets"]]
        if any(some.overlaps(other) for some, other in combinations(ranges, 2)):
            yield "subnets share addresses"
        [subnet] = [each["properties"] for each in network.properties["subnets"] if each["name"] == "app"]
        if [each["properties"]["serviceName"] for each in subnet["delegations"]] != ["Microsoft.App/environments"]:
            yield "the app's subnet is not delegated to Flex Consumption"
        if "natGateway" not in subnet:
            yield "the app calls out from no address of its own"


def wrong_outcomes(deployment: Deployment) -> Iterator[str]:
    """shared/azure/outcomes.py sends CloudEvents."""
    for kind in ("topics", "domains"):
        for each in deployment.of(f"Microsoft.EventGrid/{kind}"):
            if each.properties["inputSchema"] != "CloudEventSchemaV1_0":
                yield f"{each.name} takes {each.properties['inputSchema']}"


def wrong_alarms(deployment: Deployment) -> Iterator[str]:
    duration = TypeAdapter(timedelta).validate_python
    for each in deployment.of("Microsoft.Insights/scheduledQueryRules"):
        [condition] = each.properties["criteria"]["allOf"]
        operator, threshold = condition["operator"], condition["threshold"]
        if operator != ("LessThan" if each.name.endswith("silent") else "GreaterThan"):
            yield f"{each.name}: {operator}"
        if operator == "LessThan" and threshold < 1:
            yield f"{each.name}: nothing is less than {threshold}"
        if not condition["query"].startswith("AppTraces\n"):  # what loggers say
            yield f"{each.name} looks into {condition['query'].partition('\n')[0]}"
        if not duration(each.properties["evaluationFrequency"]) <= duration(each.properties["windowSize"]) <= LONGEST_WINDOW:
            yield f"{each.name}: {each.properties['windowSize']} is too long, or leaves gaps"
    for each in deployment.of("Microsoft.Insights/metricAlerts"):
        for condition in each.properties["criteria"]["allOf"]:
            found = tuple(condition[name] for name in ("metricName", "timeAggregation", "operator", "threshold"))
            if found != ("DeadletteredMessages", "Maximum", "GreaterThan", 0):
                yield f"{each.name}: {', '.join(map(str, found))}"
    for each in (*deployment.of("Microsoft.Insights/scheduledQueryRules"), *deployment.of("Microsoft.Insights/metricAlerts")):
        if each.properties["enabled"] is not True:
            yield f"{each.name} is not enabled"


def wrong_events(deployment: Deployment) -> Iterator[str]:
    """Of a tenant's part."""
    for topic in deployment.of("Microsoft.EventGrid/systemTopics"):
        if topic.body.get("identity") != {"type": "SystemAssigned"}:
            yield f"{topic.name} has no identity to deliver dead letters by"
        if topic.properties["topicType"] != TOPIC_TYPE:
            yield f"{topic.name} is of type {topic.properties['topicType']}"
    containers = {each.name for each in deployment.of("Microsoft.Storage/storageAccounts/blobServices/containers")}
    for each in deployment.of("Microsoft.EventGrid/systemTopics/eventSubscriptions"):
        yield from _retries(each)
        by_identity = each.properties["deliveryWithResourceIdentity"] or {}
        leads_to = (each.properties["destination"] or by_identity["destination"])["endpointType"]
        if leads_to not in ("WebHook", "ServiceBusQueue"):
            yield f"{each.name} leads to a {leads_to}"
        if each.properties["eventDeliverySchema"] not in ("EventGridSchema", "CloudEventSchemaV1_0"):
            yield f"{each.name} speaks {each.properties['eventDeliverySchema']}"
        kept = each.properties["deadLetterWithResourceIdentity"]["deadLetterDestination"]["properties"]["blobContainerName"]
        if kept not in containers:
            yield f"{each.name} has its dead letters in {kept}, and nobody makes that"


def _retries(subscription: Resource) -> Iterator[str]:
    policy = subscription.properties["retryPolicy"]
    if not (1 <= policy["maxDeliveryAttempts"] <= MOST_ATTEMPTS and 1 <= policy["eventTimeToLiveInMinutes"] <= MOST_MINUTES):
        yield f"{subscription.name} is delivered as Azure does not take it: {policy}"
