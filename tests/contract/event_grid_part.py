"""The local Event Grid, other parts, and those who receive its events, as tests start them: over real sockets."""

import contextlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

WORKSPACE = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/northwind"


@dataclass
class Receiver:
    """A webhook that agrees to the handshakes; `answers` are the next statuses for events, then 202 for all."""

    url: str = ""
    deliveries: list[tuple[float, dict[str, str], Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    refuses: bool = False

    def ids(self) -> list[str]:
        return [(body[0] if isinstance(body, list) else body)["id"] for _, _, body in self.deliveries]

    def take(self, headers: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        if headers.get("aeg-event-type") == "SubscriptionValidation":
            code = "wrong" if self.refuses else body[0]["data"]["validationCode"]
            return 200, {"validationResponse": code}
        self.deliveries.append((time.monotonic(), headers, body))
        return (self.answers.pop(0) if self.answers else 202), {}


def handler_for(receiver: Receiver) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = receiver.take(headers, body)
            self._answer(status, json.dumps(answer).encode())

        def do_OPTIONS(self) -> None:
            origin = "example.com" if receiver.refuses else self.headers["WebHook-Request-Origin"]
            self._answer(200, b"", {"WebHook-Allowed-Origin": origin})

        def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class's name
            """Quiet."""

    return Handler


@contextlib.contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver()
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler_for(receiver)) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?code=secret"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@dataclass
class Program:
    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.ready["port"], timeout=10)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    def subscribe(self, name: str, url: str, **changes: Any) -> tuple[int, Any]:
        body = {"source": WORKSPACE, "destination": {"endpointType": "WebHook", "endpointUrl": url}, **changes}
        return self.call("PUT", f"/eventSubscriptions/{name}", body)


@contextlib.contextmanager
def running(module: str, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"infra.local.{module}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | (environment or {}),
    )
    assert process.stdout
    try:
        yield Program(process, json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


def eventually[T](look: Callable[[], T], within: float = 8.0) -> T:
    deadline = time.monotonic() + within
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found
    return found
