"""Whether the app is told of the models that are registered in a workspace.

The names of what Event Grid has are those of its API: Azure/azure-rest-api-specs `specification/eventgrid`. Event subscriptions
that lead elsewhere are somebody else's, and none of our business.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from shared.assets import WorkspaceId
from shared.doctor.findings import Finding, Severity
from shared.doctor.mending import Shell, Word, assign_role, az, deploy, name_of, part_of, place_of
from shared.doctor.operations import BLOB_CONTRIBUTOR
from shared.doctor.seen import Destination, DestinationKind, EventSubscription, SystemTopic, Workspace, same

MODEL_REGISTERED = "Microsoft.MachineLearningServices.ModelRegistered"
TOPIC_TYPE = "Microsoft.MachineLearningServices.Workspaces"
FUNCTION, QUEUE = "model_registered", "events"
WEBHOOK_PATH = "/runtime/webhooks/EventGrid"
DEAD_LETTERS = "fanout-dead-letters"
EVENT_SUBSCRIPTION = "event-subscription"  # of infra/azure/tenant
SUCCEEDED = "succeeded"
_BY_IDENTITY = "systemassigned"
_KEYS_API = "2023-12-01"  # of Microsoft.Web
_WHY = "Fanout hears of a new model only when the reconciler comes across it, and not at once"
_LOST = "what Azure gives up to deliver would be lost without a trace"


@dataclass(frozen=True, slots=True)
class App:
    """Where events have to arrive: the function app's host name, and its Service Bus namespace. None where nobody said."""

    host: str | None = None
    namespace: str | None = None

    def hears(self, destination: Destination) -> bool:
        match destination.kind:
            case DestinationKind.WEBHOOK:
                url = urlsplit(destination.address)
                return same(url.path, WEBHOOK_PATH) and (self.host is None or same(url.netloc, self.host))
            case DestinationKind.FUNCTION:
                return same(name_of(destination.address), FUNCTION) and self._is_site(part_of(destination.address, "sites"))
            case DestinationKind.QUEUE:
                there = part_of(destination.address, "namespaces")
                return same(name_of(destination.address), QUEUE) and (self.namespace is None or same(there, self.namespace))
        return False

    def owns(self, destination: Destination) -> bool:
        """Whether it is the app's for certain: said is where it is, and that it is there. Others have hooks of the same form."""
        place = self.namespace if destination.kind is DestinationKind.QUEUE else self.host
        return place is not None and self.hears(destination)

    def _is_site(self, site: str) -> bool:
        """A host name is the app's own name, or begins with it and a hyphen (Azure's unique default host names)."""
        label = (self.host or site).partition(".")[0].lower()
        return label == site.lower() or label.startswith(f"{site.lower()}-")


def topic_of(workspace: WorkspaceId, topics: Iterable[SystemTopic]) -> SystemTopic | None:
    """Its system topic: there is one at most."""
    return next((each for each in topics if same(each.source, str(workspace))), None)


def ours(subscriptions: Sequence[EventSubscription], app: App) -> EventSubscription | None:
    """The one that tells the app of models; the best, where there are several."""
    hearing = [each for each in subscriptions if app.hears(each.destination)]
    return max(hearing, key=lambda each: (_tells_of_models(each), each.state == SUCCEEDED), default=None)


def check_events(
    workspace: Workspace, topic: SystemTopic | None, subscription: EventSubscription | None, app: App, now: datetime
) -> Iterator[Finding]:
    """`subscription` is `ours` of the topic."""
    if subscription is None:
        what = f"no event subscription of workspace {workspace.id.name} leads to the app"
        yield _finding("event_subscription_missing", str(workspace.id), what, _create(workspace, topic, app))
        return
    name, scope = name_of(subscription.arm_id), subscription.arm_id
    making_anew = _make_anew(subscription, workspace, topic, app)
    if not _tells_of_models(subscription):
        what = f"event subscription {name} leaves ModelRegistered out"
        yield _finding("event_type_missing", scope, what, _update(subscription, included_event_types=MODEL_REGISTERED))
    states = [each.state for each in (topic, subscription) if each and each.state != SUCCEEDED]
    expired = subscription.expires is not None and subscription.expires <= now
    if states or expired:
        what = f"event subscription {name} {f'expired on {subscription.expires:%Y-%m-%d}' if expired else f'is {states[0]}'}"
        yield _finding("event_subscription_unhealthy", scope, what, making_anew)
    if subscription.narrowed_by:
        what = f"event subscription {name} has filters on {', '.join(subscription.narrowed_by)}"
        why = f"of a model that does not pass them, {_WHY[0].lower()}{_WHY[1:]}"
        yield Finding("events_filtered", scope, what, why, making_anew, Severity.WARNING)
    if not workspace.is_public and subscription.destination.kind is not DestinationKind.QUEUE:
        what = f"workspace {workspace.id.name} is closed to public networks, and its events go to a public address of the app"
        why = "Event Grid cannot reach a private endpoint: with the app on private networks, too, no event arrives"
        command = _make_anew(subscription, workspace, topic, app, by_queue=True)
        yield Finding("queue_required", scope, what, why, command)


def check_dead_letters(
    subscription: EventSubscription, workspace: Workspace, topic: SystemTopic, app: App, *, has_any: bool
) -> Iterator[Finding]:
    name, place = name_of(subscription.arm_id), subscription.dead_letters
    if place is None:
        what = f"event subscription {name} has no place for dead letters"
        by_queue = subscription.destination.kind is DestinationKind.QUEUE
        command = _make_anew(subscription, workspace, topic, app, by_queue=by_queue)
        yield Finding("dead_letters_unkept", subscription.arm_id, what, _LOST, command)
    elif has_any:
        account = name_of(place.storage_account)
        options = {"account_name": account, "auth_mode": "login"}
        listing = az("storage blob list", container_name=place.container, **options, query="[].name", output="tsv")
        deleting = az("storage blob delete-batch", source=place.container, **options)
        yield Finding(
            code="dead_letters",
            scope=f"{place.storage_account}/blobServices/default/containers/{place.container}",
            what=f"container {place.container} of storage account {account} holds events that Azure gave up to deliver",
            why="their models were not shared when they were registered; each blob says why it could not be delivered",
            command=f"{listing}; fanout reconcile && {deleting}",
        )


def _tells_of_models(subscription: EventSubscription) -> bool:
    return subscription.event_types is None or any(same(each, MODEL_REGISTERED) for each in subscription.event_types)


def _finding(code: str, scope: str, what: str, command: str) -> Finding:
    return Finding(code, scope, what, _WHY, command)


def _make_anew(
    subscription: EventSubscription, workspace: Workspace, topic: SystemTopic | None, app: App, *, by_queue: bool = False
) -> str:
    return f"{delete_event_subscription(subscription.arm_id)} && {_create(workspace, topic, app, by_queue=by_queue)}"


def _create(workspace: Workspace, topic: SystemTopic | None, app: App, *, by_queue: bool = False) -> str:
    """All that it takes. The system topic, where there is none, comes into the workspace's own resource group.

    The event subscription is the template's: delivery and dead letters by the topic's identity, as services that take no keys need
    it, are what the Azure CLI does not make at system topics (Azure/azure-cli#26910).
    """
    group = place_of(topic.arm_id if topic else str(workspace.id))
    name = name_of(topic.arm_id) if topic else _new_topic(workspace.id)
    identity = identity_of_topic(**group, name=name)
    to_queue = by_queue or not workspace.is_public or app.host is None
    leading = {"eventsQueueId": _queue(app)} if to_queue else {"webhookUrl": _webhook(app)}
    places = {"deadLetterStorageId": workspace.storage_account, "deadLetterContainerName": DEAD_LETTERS}
    making = [
        _make_topic(workspace, group, name) if topic is None else _give_identity(group, name),
        _make_container(workspace),
        assign_role(identity, BLOB_CONTRIBUTOR, _container(workspace)),
        *([assign_role(identity, "Azure Service Bus Data Sender", _queue(app))] if to_queue else []),
        deploy(group, EVENT_SUBSCRIPTION, systemTopicName=name, **leading, **places),
    ]
    return " && ".join(making)


def _make_topic(workspace: Workspace, group: Mapping[str, str], name: str) -> str:
    source = {"source": str(workspace.id), "topic_type": TOPIC_TYPE, "location": workspace.region}
    return az("eventgrid system-topic create", **group, name=name, **source, identity=_BY_IDENTITY)


def _give_identity(group: Mapping[str, str], name: str) -> str:
    return az("eventgrid system-topic update", **group, name=name, identity=_BY_IDENTITY)


def identity_of_topic(**topic: str) -> Shell:
    """Its principal id, when the command runs; `topic` as the Azure CLI takes it."""
    return Shell(f'"$({az("eventgrid system-topic show", **topic, query="identity.principalId", output="tsv")})"')


def _new_topic(workspace: WorkspaceId) -> str:
    """As infra/azure/tenant/system-topic.bicep names it, which then finds it. Azure takes 50 letters, digits and hyphens."""
    return f"evgst-{workspace.name.replace('_', '-')}"[:50]


def webhook(host: str, key: str) -> str:
    """The address of the app's function, with the key of its extension for Event Grid."""
    return f"https://{host}{WEBHOOK_PATH}?functionName={FUNCTION}&code={key}"


def _webhook(app: App) -> Shell:
    site = az("functionapp list", query=f"[?defaultHostName=='{app.host}'].id", output="tsv")
    keys = Shell(f'"$({site})/host/default/listKeys?api-version={_KEYS_API}"')
    key = az("rest", method="post", url=keys, query="systemKeys.eventgrid_extension", output="tsv")
    return Shell(f'"{webhook(app.host or "", f"$({key})")}"')


def _queue(app: App) -> Shell:
    query = f"[?name=='{app.namespace}'].id" if app.namespace else "[].id"
    return Shell(f'"$({az("servicebus namespace list", query=query, output="tsv")})/queues/{QUEUE}"')


def _make_container(workspace: Workspace) -> str:
    """Event Grid wants it to be there; one that is there already does no harm."""
    account = workspace.storage_account
    return az("storage container-rm create", name=DEAD_LETTERS, storage_account=name_of(account), **place_of(account))


def _container(workspace: Workspace) -> str:
    return f"{workspace.storage_account}/blobServices/default/containers/{DEAD_LETTERS}"


def _update(subscription: EventSubscription, **options: Word) -> str:
    return az("eventgrid system-topic event-subscription update", **_named(subscription.arm_id), **options)


def delete_event_subscription(arm_id: str) -> str:
    return az("eventgrid system-topic event-subscription delete", "--yes", **_named(arm_id))


def _named(arm_id: str) -> dict[str, Word]:
    return {**place_of(arm_id), "system_topic_name": part_of(arm_id, "systemTopics"), "name": name_of(arm_id)}
