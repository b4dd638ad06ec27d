"""The commands that deploy a tenant's part in Azure are such as the templates take."""

import shlex

import pytest

from shared.assets import WorkspaceId
from shared.tenant_deployment import ProvidersPart, Step, steps
from tests.bicep.copies import SOURCES
from tests.bicep.deployment import deploy

CARDS = WorkspaceId("s1", "rg-cards", "cards")
QUEUE = "/subscriptions/s0/resourceGroups/rg-fanout/providers/Microsoft.ServiceBus/namespaces/sb-1/queues/events"
KNOWN = ProvidersPart("principal-1", "fanout-x1.azurewebsites.net", QUEUE)


def words_of(step: Step) -> tuple[str, str, dict[str, str]]:
    """The resource group, the template and its parameters."""
    words = shlex.split(step.command)
    at = {option: words[place + 1] for place, option in enumerate(words[:-1]) if option.startswith("--")}
    given = words[words.index("--parameters") + 1 :]
    return at["--resource-group"], at["--template-file"], dict(each.split("=", 1) for each in given)


@pytest.mark.parametrize("by_queue", [False, True])
@pytest.mark.parametrize("provider", [KNOWN, ProvidersPart()], ids=["known", "unknown"])
@pytest.mark.parametrize("region", ["westeurope", None])
def test_each_is_a_deployment_of_a_template_with_parameters_that_it_has(
    by_queue: bool, provider: ProvidersPart, region: str | None
) -> None:
    for step in steps(CARDS, region, provider, by_queue=by_queue):
        _, template, parameters = words_of(step)
        deploy(SOURCES, template.removeprefix("infra/azure/"), **parameters)


def test_what_the_settings_say_stands_in_it() -> None:
    (step,) = steps(CARDS, "westeurope", KNOWN, by_queue=False)

    assert words_of(step) == (
        "rg-cards",
        "infra/azure/tenant/main.bicep",
        {
            "workspaceName": "cards",
            "location": "westeurope",
            "fanoutPrincipalId": "principal-1",
            "webhookUrl": "https://fanout-x1.azurewebsites.net/runtime/webhooks/EventGrid?functionName=model_registered&code=<key>",
        },
    )


def test_what_they_do_not_say_is_left_to_fill_in() -> None:
    (step,) = steps(CARDS, None, ProvidersPart(), by_queue=False)

    _, _, parameters = words_of(step)
    assert parameters["fanoutPrincipalId"] == "<FANOUT_PRINCIPAL_ID>"
    assert parameters["webhookUrl"].startswith("https://<FANOUT_HOSTNAME>/")
    assert "location" not in parameters


def test_where_events_come_by_queue_the_provider_leads_them_there() -> None:
    tenants, sender, events = steps(CARDS, None, KNOWN, by_queue=True)

    assert [each.who for each in (tenants, sender, events)] == ["tenant", "provider", "provider"]
    assert "webhookUrl" not in words_of(tenants)[2]
    assert words_of(sender)[0] == "rg-fanout"
    assert words_of(sender)[2]["namespaceName"] == "sb-1"
    assert words_of(events)[2]["eventsQueueId"] == QUEUE
