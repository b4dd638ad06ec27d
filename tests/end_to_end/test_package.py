"""What a deployment uploads runs by itself: unzipped elsewhere, with nothing installed but its requirements.txt."""

import os
import subprocess
import zipfile
from pathlib import Path

import psutil
import pytest

from infra.local.cloud import LocalCloud
from infra.package import make_package
from tests.end_to_end.support import OFTEN, QUICK, eventually, mlflow_folder, models, register, rules
from tests.installed import ALL, APP, environment_of, link, pinned

IMPORT_ALL = """
import ast
from importlib import import_module
from pathlib import Path
for file in Path().rglob("*.py"):
    for found in ast.walk(ast.parse(file.read_text())):  # those in functions too, which run when they are first needed
        if isinstance(found, ast.Import):
            [import_module(each.name) for each in found.names]
        elif isinstance(found, ast.ImportFrom):
            import_module(found.module)
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    make_package(folder / "app.zip")
    with zipfile.ZipFile(folder / "app.zip") as package:
        package.extractall(folder / "app")
    return folder / "app"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_of(APP, tmp_path_factory.mktemp("python"))


def test_it_holds_what_runs_and_nothing_else(app: Path) -> None:
    assert {each.name for each in app.iterdir()} == {"function_app.py", "host.json", "requirements.txt", "handlers", "shared"}
    assert {file.suffix for file in app.rglob("*") if file.is_file()} == {".py", ".json", ".txt"}
    assert not (app / "handlers" / "cli").exists()


def test_the_same_files_make_the_same_zip(tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        make_package(tmp_path / name)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_all_that_it_imports_is_there_where_only_its_requirements_are_installed(app: Path, python: Path) -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run([python, "-c", IMPORT_ALL], cwd=app, env=alone, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr


def test_it_delivers_a_registration(app: Path, python: Path, tmp_path: Path) -> None:
    """Beside the app's libraries lie those that the local host itself needs."""
    link(pinned(ALL) - pinned(APP), tmp_path / "host")
    settings = OFTEN | {"PYTHONPATH": str(tmp_path / "host")}
    with LocalCloud(tmp_path / "cloud", seconds=QUICK, settings=settings, app=app, python=python) as cloud:
        there = cloud.workspaces
        cloud.apply_rules(rules(tmp_path / "rules", there["workspace1"], {"fabrikam": (there["workspace2"], ["register"])}))
        register(cloud.ml_client("workspace1"), "credit-card", "1", mlflow_folder(tmp_path / "model"))
        eventually("it arrives", lambda: "credit-card:1" in models(cloud, "workspace2"))
        host = next(each for each in psutil.Process().children() if "infra.local.functions_host" in each.cmdline())
        assert (host.cwd(), host.cmdline()[0]) == (str(app), str(python))
