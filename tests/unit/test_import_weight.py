"""What the event's handler must not pay for: azure-ai-ml alone takes 0.9 to 3.4 s and 105 MB, and Event Grid waits 30 s."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

APP = Path(__file__).parents[2]
HEAVY = ["azure.ai.ml", "azure.identity", "azure.data.tables", "azure.storage", "marshmallow", "msal"]

IMPORT = "import function_app"
TAKE_AN_EVENT = """
import function_app, json
from pathlib import Path
from handlers import model_registered

class Recorder:
    def __init__(self): self.sent = []
    def send(self, queue, messages): self.sent += messages

class OnlyQueues:
    queues = Recorder()

event = json.loads(Path("tests/events/model_registered.json").read_text())
model_registered.handle(event, OnlyQueues)
assert len(OnlyQueues.queues.sent) == 1
"""
OPEN_THE_QUEUES = """
import function_app
from shared.bootstrap import fanout
fanout().queues
"""


@cache
def modules_after(program: str) -> frozenset[str]:
    """What a fresh interpreter has imported once it ran the program in the app's folder."""
    settings = {"ServiceBus": "Endpoint=sb://localhost;SharedAccessKeyName=k;SharedAccessKey=a2V5;UseDevelopmentEmulator=true;"}
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules, sep='\\n')"]
    ended = subprocess.run(command, cwd=APP, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return frozenset(ended.stdout.split())


@pytest.mark.parametrize("program", [IMPORT, TAKE_AN_EVENT, OPEN_THE_QUEUES], ids=["import", "take an event", "open the queues"])
def test_an_event_is_taken_without_the_sdks_that_it_does_not_need(program: str) -> None:
    assert modules_after(program) & set(HEAVY) == set()


def test_importing_the_app_reaches_no_azure_service() -> None:
    """Clients are made on first use (shared/bootstrap.py), and each brings its SDK with it."""
    assert modules_after(IMPORT) & {"azure.servicebus", "azure.core", *HEAVY} == set()
