"""The commands that deploy what a tenant gives Fanout in Azure (infra/azure/tenant), as far as they are known from here.

What is not stands in them as <words>, for whoever runs them to fill in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.assets import WorkspaceId
from shared.doctor.events import EVENT_SUBSCRIPTION, webhook
from shared.doctor.mending import deploy, name_of, part_of, place_of

_ANY_QUEUE = "/subscriptions/<provider's>/resourceGroups/<AZURE_RESOURCE_GROUP>/namespaces/<namespace>/queues/events"


@dataclass(frozen=True, slots=True)
class ProvidersPart:
    """What a deployment must know of the provider's; None where the settings do not say it.

    `principal` is the object id of the app's identity, `host` the app's host name, `events_queue` the ARM id of that queue.
    """

    principal: str | None = None
    host: str | None = None
    events_queue: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`who`: the tenant's administrator or the provider, who may do it."""

    who: str
    what: str
    command: str


def steps(workspace: WorkspaceId, region: str | None, provider: ProvidersPart, *, by_queue: bool) -> Iterator[Step]:
    """For one workspace. Event Grid reaches no private network, so that events come to the app by its queue there."""
    group = place_of(str(workspace))
    given = {"workspaceName": workspace.name, **({"location": region} if region else {})}
    given["fanoutPrincipalId"] = provider.principal or "<FANOUT_PRINCIPAL_ID>"
    if not by_queue:
        what = f"deploy event subscription, dead letters and roles for {workspace.name}"
        given["webhookUrl"] = webhook(provider.host or "<FANOUT_HOSTNAME>", "<key>")
        yield Step("tenant", what, deploy(group, "main", **given))
        return
    what = f"deploy system topic, dead letters and roles for {workspace.name}, and tell the provider its outputs"
    yield Step("tenant", what, deploy(group, "main", **given))
    queue = provider.events_queue or _ANY_QUEUE
    sender = {"namespaceName": part_of(queue, "namespaces"), "principalId": "<output systemTopicPrincipalId>"}
    what = f"let its system topic send to queue {name_of(queue)}"
    yield Step("provider", what, deploy(place_of(queue), "queue-sender", **sender))
    led = {
        "systemTopicName": "<output systemTopicName>",
        "eventsQueueId": provider.events_queue or "<FANOUT_EVENTS_QUEUE_ID>",
        "deadLetterStorageId": "<output deadLetterStorageId>",
        "deadLetterContainerName": "<output deadLetterContainerName>",
    }
    yield Step("provider", "lead its events there", deploy(group, EVENT_SUBSCRIPTION, **led))
