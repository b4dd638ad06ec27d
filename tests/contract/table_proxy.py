"""Stands between a process and its table service: what writes get there, and when."""

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class TableProxy:
    """`loses` is asked whether a write gets lost before it takes effect, `after` told when it did; by number, from 1.

    To create a table is no write.
    """

    def __init__(self, connection_string: str) -> None:
        self.loses: Callable[[int], bool] = lambda _number: False
        self.after: Callable[[int], object] = int
        self.writes = 0
        parts = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
        self._target = urlsplit(parts["TableEndpoint"])
        self._counting = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        endpoint = f"http://127.0.0.1:{self._server.server_port}{self._target.path}"
        self.connection_string = connection_string.replace(parts["TableEndpoint"], endpoint)

    @contextlib.contextmanager
    def running(self) -> Iterator["TableProxy"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield self
        self._server.shutdown()
        self._server.server_close()

    def _counted(self) -> int:
        with self._counting:
            self.writes += 1
            return self.writes

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:  # noqa: N805 # the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 # the base class's name
                """Quiet."""

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                is_write = self.command != "GET" and not self.path.endswith("/Tables")
                number = proxy._counted() if is_write else 0
                if number and proxy.loses(number):
                    self.close_connection = True
                    return
                answer, content = proxy._asked(self.command, self.path, dict(self.headers), body)
                if number:
                    proxy.after(number)
                with contextlib.suppress(OSError):  # who asked may be gone
                    self.send_response_only(answer.status)  # with the service's own Date
                    for name, value in answer.getheaders():
                        if name.lower() not in BY_HOP:
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_MERGE = do_DELETE = _pass_on  # noqa: N815 # named so by http.server

        return Handler

    def _asked(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        with contextlib.closing(http.client.HTTPConnection(self._target.netloc, timeout=30)) as connection:
            kept = {name: value for name, value in headers.items() if name.lower() not in BY_HOP}
            connection.request(method, path, body, kept)
            answer = connection.getresponse()
            return answer, answer.read()
