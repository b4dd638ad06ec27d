"""`--wait` with version `latest`: which version that is, is found out before the command is sent."""

from typing import Any

import pytest
import typer

from handlers.cli.latest import with_version
from handlers.cli.sending import checked
from shared.actions import Register
from tests.fakes import World
from tests.unit.command_world import PUSH, RECALL, SHARE, pull_of
from tests.unit.test_command_flow import shared_world
from tests.unit.world import a_world, credit_card, register, subscriber

LATEST = {"kind": "model", "name": "credit-card", "version": "latest"}


def version_of(document: dict[str, Any], world: World) -> object:
    return with_version(document, checked(document), world)["asset"]["version"]


def two_versions() -> World:
    world = shared_world(subscriber("fabrikam", Register()))
    register(world, credit_card("2"))
    world.run()
    return world


@pytest.mark.parametrize("document", [SHARE, PUSH, RECALL, pull_of("fabrikam")], ids=lambda document: str(document["type"]))
def test_latest_is_the_version_that_came_last_and_any_other_stays_what_it_is(document: dict[str, Any]) -> None:
    world = two_versions()

    assert version_of(document | {"asset": LATEST}, world) == "2"
    assert version_of(document, world) == "1"


@pytest.mark.parametrize("document", [SHARE, PUSH], ids=lambda document: str(document["type"]))
def test_what_has_no_version_is_not_sent(document: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        version_of(document | {"asset": LATEST}, a_world())

    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith("Not sent: ")
