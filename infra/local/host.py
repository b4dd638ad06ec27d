"""The Functions host with the app, as the local cloud runs it: killed and started again at the same address."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from infra.local.controls import HostControl
from infra.local.processes import Part, Undertaker, module_command


class FunctionsHost(HostControl):
    """`settings` are the app settings; a start may change them. Port and keys stay over restarts, and so do its webhooks.

    `app` is its folder, `python` what runs it.
    """

    def __init__(self, logs: Path, undertaker: Undertaker, settings: Mapping[str, str], port: int, app: Path, python: Path) -> None:
        super().__init__("")  # known once it has started
        self._logs = logs
        self._undertaker = undertaker
        self._settings = dict(settings)
        self._port = port
        self._app = app
        self._python = python
        self.key, self._event_grid_key = secrets.token_hex(16), secrets.token_hex(16)
        self._part: Part | None = None
        self._event_grid_url = ""

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start the app, with these settings besides. Raises CannotStart with the host's own words."""
        self._settings |= settings or {}
        options = {"app": self._app, "port": self._port, "key": self.key, "event_grid_key": self._event_grid_key}
        command = module_command("infra.local.functions_host", self._python, **options)
        self._part = Part("functions_host", command, self._logs, self._undertaker, self._settings)
        self._part.start()
        ready = self._part.wait_until_ready()
        self._port, self.url = ready["port"], ready["url"]
        self._event_grid_url = ready["event_grid_url"]

    def webhook(self, function: str) -> str:
        """Where Event Grid delivers to this function, with the system key."""
        return self._event_grid_url.format(functionName=function)

    def kill(self) -> None:
        """kill -9."""
        if self._part:
            self._part.kill()

    def stop(self) -> None:
        """As the platform does for a deployment: what runs may end."""
        if self._part:
            self._part.stop()

    def require_running(self) -> None:
        """Raises PartDied where it ended by itself."""
        if self._part:
            self._part.require_running()

    def restart(self, settings: Mapping[str, str] | None = None) -> None:
        """Kill it where it runs, and start it again at the same address."""
        self.kill()
        self.start(settings)
