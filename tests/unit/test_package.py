"""What lies about in a clone that is worked in is not uploaded: secrets least of all."""

from pathlib import Path

import pytest

from infra.package import REPOSITORY, make_package

RUNS = ("function_app.py", "host.json", "requirements.txt", "handlers/commands.py", "shared/azure/arm.py")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As it is after a while, but that its files say nothing."""
    folder = tmp_path / "clone"
    for name in RUNS:
        put(folder, name)
    (folder / ".funcignore").write_bytes((REPOSITORY / ".funcignore").read_bytes())
    return folder


def put(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")


def packaged(clone: Path) -> set[str]:
    return {file.as_posix() for file in make_package(clone / "app.zip", clone)}


def test_all_that_runs_is_uploaded(clone: Path) -> None:
    assert packaged(clone) == set(RUNS)


@pytest.mark.parametrize(
    "name",
    [
        "local.settings.json",  # may hold connection strings; not every tool leaves it out by itself
        "shared/local.settings.json",
        ".env",
        "prod.env",
        ".azure/prod/.env",
        ".local/state.json",
        "key.pem",
        "rules/tenants/fabrikam.yaml",  # whom one works with is nobody's business
        "venv/bin/python",
        "env/bin/python",
        "clone_env/pyvenv.cfg",  # azd makes it
        "build/lib/handlers/commands.py",
        "dist/fanout.whl",
        "azurite.log",
    ],
)
def test_what_does_not_run_is_not(clone: Path, name: str) -> None:
    put(clone, name)
    assert packaged(clone) == set(RUNS)


def test_a_package_that_lies_there_is_not_in_the_next(clone: Path) -> None:
    assert packaged(clone) == packaged(clone)
