"""The worker library that production runs loads the app: what is broken fails at start, loudly."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=k;SharedAccessKey=k;UseDevelopmentEmulator=true"
ROOT = Path(__file__).parents[2]
FAULTS = {
    "a parameter that is no binding": (
        "def on_command(message: func.ServiceBusMessage)",
        "def on_command(msg: func.ServiceBusMessage)",
    ),
    "a wrong annotation": ("def on_timer(timer: func.TimerRequest)", "def on_timer(timer: int)"),
    "an import that fails": ("import azure.functions as func", "import azure.functions as func\nimport no_such_module"),
}
SAID = {
    "a parameter that is no binding": "{'msg'}",
    "a wrong annotation": "timer",
    "an import that fails": "no_such_module",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_app_does_not_start(tmp_path: Path, fault: str) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for folder in ("handlers", "shared"):
        shutil.copytree(ROOT / folder, app / folder)
    shutil.copy(ROOT / "host.json", app)
    right, wrong = FAULTS[fault]
    source = (ROOT / "function_app.py").read_text()
    assert right in source
    (app / "function_app.py").write_text(source.replace(right, wrong))
    command = [sys.executable, "-m", "infra.local.functions_host", "--app", str(app)]
    settings = os.environ | {"FANOUT_RECONCILE_SCHEDULE": "0 0 0 1 1 *", "ServiceBus": NOWHERE}
    ended = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    assert SAID[fault] in ended.stderr
    assert ended.stdout == ""
