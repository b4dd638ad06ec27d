"""Small HTTP clients of the parts' control interfaces, for tests, demos and the shell."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

SECONDS = 30


class ControlError(Exception):
    """A part refused a control call; the text is its answer."""


class ControlClient:
    """What every part offers: a request log, faults, latency, reset."""

    def __init__(self, url: str, authority: Path | None = None) -> None:
        self.url = url.rstrip("/")
        context = ssl.create_default_context(cafile=authority) if authority else None
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        handlers += [urllib.request.HTTPSHandler(context=context)] if context else []
        self._opener = urllib.request.build_opener(*handlers)

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """The requests served, oldest first; those after number `since`."""
        found: list[dict[str, Any]] = self.call("GET", f"/_control/requests?since={since}")
        return found

    def disarm(self) -> None:
        self.call("DELETE", "/_control/faults")

    def latency(self, milliseconds: float) -> None:
        self.call("PUT", "/_control/latency", {"milliseconds": milliseconds})

    def reset(self) -> None:
        self.call("POST", "/_control/reset")

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON, or None where it has none. Raises ControlError for an answer of 400 or more."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the parts' own addresses
            self.url + path, content, {"Content-Type": "application/json"}, method=method
        )
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                raise ControlError(f"{method} {path}: {refused.code} {refused.read().decode(errors='replace')}") from refused
        return json.loads(text) if text else None


class HttpControl(ControlClient):
    def arm(self, match: str, **fault: Any) -> None:
        """Arm a fault, such as `arm("POST .*/import", status=429)`. infra/local/control.py has the fields."""
        self.call("POST", "/_control/faults", {"match": match, **fault})


class AzureMlControl(HttpControl):
    def state(self) -> dict[str, Any]:
        """What every workspace and registry holds: models, endpoints, deployments."""
        found: dict[str, Any] = self.call("GET", "/_control/state")
        return found

    def seconds(self, **durations: float) -> None:
        """How long operations take that begin from now on: `seconds(**{"import": 90}, deployment=2)`."""
        self.call("PUT", "/_control/seconds", durations)

    def deny(self, *denials: Mapping[str, str]) -> None:
        """All roles that are missing from now on: `deny({"principal": client_id, "scope": workspace_id})`; none grants them."""
        self.call("PUT", "/_control/denied", denials)

    def surroundings(self, **changes: Any) -> dict[str, Any]:
        """What surrounds the workspaces from now on, in these fields: `surroundings(private_workspaces=[workspace_id])`.

        infra/local/resource_manager/surroundings.py has the fields. All of them, as they are then.
        """
        found: dict[str, Any] = self.call("PUT", "/_control/surroundings", changes)
        return found


class EventGridControl(HttpControl):
    def publish(self, events: list[dict[str, Any]]) -> None:
        """Events of the Event Grid schema, as the local Azure ML publishes them."""
        self.call("POST", "/events", events)

    def subscribe(self, name: str, subscription: dict[str, Any]) -> None:
        self.call("PUT", f"/eventSubscriptions/{name}", subscription)

    def unsubscribe(self, name: str) -> None:
        self.call("DELETE", f"/eventSubscriptions/{name}")

    def provisioning(self, states: Mapping[str, str]) -> None:
        """Show event subscriptions in these provisioning states, and all others as they are."""
        self.call("PUT", "/_control/provisioning", states)

    def create_topic(self, kind: Literal["topics", "domains"], name: str, **properties: Any) -> dict[str, Any]:
        """A custom topic or a domain, such as `create_topic("topics", "outcomes", inputSchema=…)`: its id, endpoint and keys."""
        created: dict[str, Any] = self.call("PUT", f"/{kind}/{name}", properties)
        return created

    def dropped(self) -> list[dict[str, Any]]:
        """The events given up, each with the reason."""
        found: list[dict[str, Any]] = self.call("GET", "/_control/dropped")["value"]
        return found

    def pending(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/_control/pending")["value"]
        return found

    def duplication(self, rate: float) -> None:
        """Deliver this share of the events twice."""
        self.call("PUT", "/_control/duplication", {"rate": rate})

    def pause(self, paused: bool) -> None:
        """Hold every delivery, or let it go on."""
        self.call("PUT", "/_control/pause", {"paused": paused})


class ServiceBusControl(ControlClient):
    def arm(self, queue: str, operation: str, error: str, **fault: Any) -> None:
        """Arm a fault of AMQP, such as `arm("wakeups", "send", "drop-connection", when="after")`.

        infra/local/service_bus/faults.py has the words.
        """
        self.call("POST", "/_control/faults", {"queue": queue, "operation": operation, "error": error, **fault})

    def queues(self) -> dict[str, Any]:
        """By queue: how many messages are active, scheduled, locked, deferred, dead-lettered, and the totals so far."""
        found: dict[str, Any] = self.call("GET", "/_control/queues")
        return found

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """The messages of a queue, in any state; `<queue>/$deadletterqueue` for the dead letters."""
        found: list[dict[str, Any]] = self.call("GET", f"/_control/queues/{queue}/messages")
        return found

    def duplication(self, queue: str, rate: float) -> None:
        """Enqueue this share of the messages twice, whatever their MessageId."""
        self.call("PUT", "/_control/duplication", {"queue": queue, "rate": rate})

    def advance_clock(self, seconds: float) -> None:
        self.call("POST", "/_control/clock", {"advance_seconds": seconds})


class HostControl(HttpControl):
    def invocations(self) -> list[dict[str, Any]]:
        """What ran, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", "/_control/invocations")
        return found

    def run(self, function: str, value: str = "") -> None:
        """Start a function by hand, as the Functions host's admin route does. Returns at once."""
        self.call("POST", f"/admin/functions/{function}", {"input": value})
