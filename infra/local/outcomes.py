"""Where the local cloud lets the app publish its outcome events: a custom topic or a domain, and a queue that gets them all."""

import json
from typing import Any, Literal

from infra.local.controls import EventGridControl, ServiceBusControl

QUEUE = "outcomes"
CLOUD_EVENTS = "CloudEventSchemaV1_0"

type OutcomesKind = Literal["topic", "domain"]


class OutcomesTopic:
    """Of the managed identities alone, as an account that follows Azure's advice sets it up: keys are switched off.

    `id` is its ARM id; one of a domain's topics is the source `<id>/topics/<name>` of event subscriptions.
    """

    def __init__(self, kind: OutcomesKind, event_grid: EventGridControl, service_bus: str) -> None:
        self.kind = kind
        self._event_grid = event_grid
        kinds: dict[OutcomesKind, Literal["topics", "domains"]] = {"topic": "topics", "domain": "domains"}
        created = event_grid.create_topic(kinds[kind], "fanout-outcomes", inputSchema=CLOUD_EVENTS, disableLocalAuth=True)
        self.id: str = created["id"]
        self.endpoint: str = created["endpoint"]
        queue = {"endpointType": "ServiceBusQueue", "connectionString": service_bus, "queue": QUEUE}
        self.subscribe("outcomes", queue)

    def app_settings(self) -> dict[str, str]:
        return {f"Outcomes__{self.kind}EndpointUri": self.endpoint}

    def subscribe(self, name: str, destination: dict[str, str], domain_topic: str | None = None) -> None:
        """Another event subscription: to all, or to one of the domain's topics, as a tenant would have it."""
        source = f"{self.id}/topics/{domain_topic}" if domain_topic else self.id
        self._event_grid.subscribe(name, {"source": source, "destination": destination})

    @staticmethod
    def received(service_bus: ServiceBusControl) -> list[dict[str, Any]]:
        """The CloudEvents in the queue, in the order of their coming; they stay there."""
        return [json.loads(message["body"]) for message in service_bus.messages(QUEUE)]
