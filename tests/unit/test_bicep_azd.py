"""What azd goes by, and what Azure is not to leave open: names, tags, parameters; keys, networks."""

import json
import re
from typing import Any

import pytest
import yaml

from shared.settings_table import SETTINGS
from tests.bicep.copies import EVERYTHING, SOURCES, provider, tenant
from tests.bicep.deployment import Deployment
from tests.bicep.needs import ROOT
from tests.bicep.reading import read
from tests.bicep.soundness import ENTRIES

AZURE_YAML: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
MAIN = read(SOURCES["main.bicep"])
WITHOUT_TAGS = (  # types that have none
    "roleAssignments",
    "blobServices",
    "tableServices",
    "containers",
    "tables",
    "queues",
    "networkRuleSets",
    "config",
    "privateDnsZoneGroups",
    "eventSubscriptions",
)


def test_azure_yaml_leads_to_the_template_and_to_the_app() -> None:
    infra, [(name, service)] = AZURE_YAML["infra"], AZURE_YAML["services"].items()
    assert (ROOT / infra["path"] / f"{infra['module']}.bicep").exists()
    assert (service["host"], service["language"]) == ("function", "python")
    assert (ROOT / service["project"] / "host.json").exists()
    tagged = [each for each in provider(**EVERYTHING).resources if "azd-service-name" in each.body.get("tags", {})]
    assert [(each.kind, each.body["tags"]["azd-service-name"]) for each in tagged] == [("Microsoft.Web/sites", name)]


def test_everything_carries_the_environments_name() -> None:
    for each in provider(**EVERYTHING).resources:
        if not each.kind.endswith(WITHOUT_TAGS):
            assert each.body["tags"]["azd-env-name"] == "prod", each.id


def test_the_parameters_that_azd_fills_in_are_those_of_the_template() -> None:
    values = json.loads(SOURCES["main.parameters.json"])["parameters"]
    assert values.keys() <= MAIN.params.keys()
    assert MAIN.params.keys() - values.keys() == {"azureCloud"}  # what has a default azd takes from this file and nowhere else
    for name, given in values.items():
        [default] = re.fullmatch(r"\$\{[A-Z_]+(?:=(.*))?\}", given["value"]).groups()  # type: ignore[union-attr] # it matches
        if default is not None:
            assert default == str(param_default(name)).replace("True", "true").replace("False", "false"), name


def test_what_the_documents_call_for_is_kept_too() -> None:
    documents = ("infra/azure/README.md", "README.md", "handlers/cli/onboard.py")
    named = {name for path in documents for name in re.findall(r"\$(AZURE_[A-Z_]+|FANOUT_[A-Z_]+)", (ROOT / path).read_text())}
    assert named <= provider().outputs.keys()


def test_each_variable_of_azd_is_one_parameters() -> None:
    values = json.loads(SOURCES["main.parameters.json"])["parameters"].values()
    names = [each["value"].strip("${}").partition("=")[0] for each in values]
    assert len(names) == len(set(names))


def param_default(name: str) -> object:
    node = MAIN.params[name].default
    assert node is not None
    return {"true": True, "false": False}.get(str(node.data), str(node.children[0]).strip("'") if node.children else None)


def test_what_azd_keeps_are_the_settings_of_the_command() -> None:
    outputs = provider().outputs
    assert {"ServiceBus__fullyQualifiedNamespace", "Tables__tableServiceUri"} <= outputs.keys()
    assert {each.name for each in SETTINGS if not each.of_the_app} <= outputs.keys()
    assert {"AZURE_LOCATION", "AZURE_TENANT_ID", "AZURE_RESOURCE_GROUP"} <= outputs.keys()


@pytest.mark.parametrize("deployment", [provider(**EVERYTHING), tenant(webhookUrl="https://func/…")], ids=["provider", "tenant"])
def test_nothing_is_reached_by_a_key(deployment: Deployment) -> None:
    for storage in deployment.of("Microsoft.Storage/storageAccounts"):
        assert storage.properties["allowSharedKeyAccess"] is False
        assert storage.properties["allowBlobPublicAccess"] is False
    for kind in ("ServiceBus/namespaces", "EventGrid/topics", "EventGrid/domains"):
        for service in deployment.of(f"Microsoft.{kind}"):
            assert service.properties["disableLocalAuth"] is True
    for insights in deployment.of("Microsoft.Insights/components"):
        assert insights.properties["DisableLocalAuth"] is True
    assert "listKeys" not in "".join(SOURCES.values())


def test_in_a_private_network_each_service_has_its_endpoint_and_no_other_way_in() -> None:
    made = provider(**EVERYTHING)
    reached = {
        (connection["properties"]["privateLinkServiceId"], group)
        for endpoint in made.of("Microsoft.Network/privateEndpoints")
        for connection in endpoint.properties["privateLinkServiceConnections"]
        for group in connection["properties"]["groupIds"]
    }
    [storage] = made.of("Microsoft.Storage/storageAccounts")
    [bus] = made.of("Microsoft.ServiceBus/namespaces")
    [domain] = made.of("Microsoft.EventGrid/domains")
    assert reached == {(storage.id, "blob"), (storage.id, "table"), (bus.id, "namespace"), (domain.id, "domain")}
    assert {each.properties["publicNetworkAccess"] for each in (storage, bus, domain)} == {"Disabled"}
    assert bus.body["sku"] == {"name": "Premium", "tier": "Premium", "capacity": 1}
    [firewall] = made.of("Microsoft.ServiceBus/namespaces/networkRuleSets")
    assert firewall.properties["trustedServiceAccessEnabled"] is True  # or Event Grid could not deliver to queue events
    [app] = made.of("Microsoft.Web/sites")
    [network] = made.of("Microsoft.Network/virtualNetworks")
    assert app.properties["virtualNetworkSubnetId"] == f"{network.id}/subnets/app"


def test_without_one_there_is_no_network() -> None:
    made = provider(outcomes="topic")
    assert [each.kind for each in made.resources if "Microsoft.Network" in each.kind] == []
    [app] = made.of("Microsoft.Web/sites")
    assert app.properties["virtualNetworkSubnetId"] is None


def test_events_go_to_the_webhook_or_by_identity_to_the_queue() -> None:
    [hook] = tenant(webhookUrl="https://func/…").of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    [queue] = tenant(eventsQueueId="/…/queues/events").of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    assert hook.properties["destination"]["properties"]["endpointUrl"] == "https://func/…"
    assert hook.properties["deliveryWithResourceIdentity"] is None
    assert queue.properties["destination"] is None
    by_identity = queue.properties["deliveryWithResourceIdentity"]
    assert by_identity["identity"] == {"type": "SystemAssigned"}
    assert by_identity["destination"]["properties"] == {"resourceId": "/…/queues/events"}
    for each in (hook, queue):
        assert each.properties["filter"]["includedEventTypes"] == ["Microsoft.MachineLearningServices.ModelRegistered"]
        assert each.properties["deadLetterWithResourceIdentity"]["deadLetterDestination"]["endpointType"] == "StorageBlob"


def test_the_public_workflow_builds_every_template_that_people_deploy() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert ".ci/run" in workflow
    assert [entry for entry in ENTRIES if f"infra/azure/{entry}" not in workflow] == []


def test_addresses_with_a_key_are_secure() -> None:
    for path, text in SOURCES.items():
        if path.endswith(".bicep"):
            for name, param in read(text).params.items():
                assert ("secure" in param.decorators) is (name == "webhookUrl"), f"{path}: {name}"


def test_another_tier_of_service_bus_is_another_namespace() -> None:
    names = [provider(serviceBusTier=tier).of("Microsoft.ServiceBus/namespaces")[0].name for tier in ("Standard", "Premium")]
    assert len(set(names)) == 2
