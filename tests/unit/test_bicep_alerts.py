"""Each alert looks for lines that the app does log."""

import ast
import logging

import pytest

from handlers import commands, model_registered, reconcile, reconcile_pass, wakeups
from shared.actions import Register
from shared.errors import Owner, Permanent
from shared.messages import Received
from tests.bicep.alerts import wrong_dimensions, wrong_queries
from tests.bicep.copies import EVERYTHING, provider, with_change
from tests.bicep.needs import ROOT, app_settings
from tests.unit.world import a_world, credit_card, register, subscriber

ALERTS = "modules/alerts.bicep"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is said of a delivery that goes well, one that fails, all that can be rejected, and the timer."""
    world = a_world(subscriber("adventure", Register()))
    with caplog.at_level(logging.INFO):
        register(world, credit_card("1"))
        world.run()
        world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
        register(world, credit_card("2"))
        world.run()
        model_registered.handle({"eventType": "of something else"}, world)
        for handler in (commands, wakeups):
            handler.handle(Received(b"neither", "m", 1), world)
        reconcile.handle(world)
        reconcile_pass.handle(world)
    return [record.getMessage() for record in caplog.records if record.name.startswith("fanout.")]


def test_the_alerts_look_for_what_is_logged(lines: list[str]) -> None:
    made = provider(**EVERYTHING)
    assert [*wrong_queries(made, lines), *wrong_dimensions(made)] == []
    names = {each.name for each in made.of("Microsoft.Insights/scheduledQueryRules")}
    assert names == {"fanout-rejected", "fanout-oldest-delivery", "fanout-failures", "fanout-reconciler-silent"}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"command rejected "', '"command refused "', "fanout-rejected: no line begins with 'command refused '"),
        ('"event rejected "', '"event rejected: "', "fanout-rejected: no line begins with 'event rejected: '"),
        ('"delivery delivered "', '"delivered "', "fanout-failures: no line begins with 'delivered '"),
        ('"reconciled "', '"reconciler done "', "fanout-reconciler-silent: no line begins"),
        ("oldest_minutes=", "oldest_hours=", "fanout-oldest-delivery: no line has 'oldest_hours="),
        ("measure: 'runs'", "measure: 'times'", "fanout-reconciler-silent: the query answers no times"),
        ("'wakeups'", "'wake-ups'", "dead letters of wakeups are seen by nobody"),
    ],
)
def test_an_alert_that_would_never_fire_is_found(lines: list[str], old: str, new: str, fault: str) -> None:
    made = provider(with_change(ALERTS, old, new))
    assert any(fault in each for each in [*wrong_queries(made, lines), *wrong_dimensions(made)])


def test_who_is_told_is_told_by_every_alert() -> None:
    made = provider(alertEmail="ops@contoso.com")
    [people] = made.of("Microsoft.Insights/actionGroups")
    assert people.properties["emailReceivers"][0]["emailAddress"] == "ops@contoso.com"
    told = [each.properties["actions"]["actionGroups"] for each in made.of("Microsoft.Insights/scheduledQueryRules")]
    assert told == [[people.id]] * 4
    [dead_letters] = made.of("Microsoft.Insights/metricAlerts")
    assert dead_letters.properties["actions"] == [{"actionGroupId": people.id}]
    assert provider().of("Microsoft.Insights/actionGroups") == []


def test_all_that_the_app_logs_is_sent() -> None:
    collected = app_settings(provider())["PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME"]
    files = [file for folder in ("handlers", "shared") for file in (ROOT / folder).rglob("*.py")]
    files = [file for file in files if file.parent.name != "cli"]  # that runs elsewhere
    calls = [call for file in files for call in ast.walk(ast.parse(file.read_text())) if isinstance(call, ast.Call)]
    loggers = [call.args[0] for call in calls if ast.unparse(call.func) == "logging.getLogger"]
    names = [logger.value for logger in loggers if isinstance(logger, ast.Constant)]
    assert names
    assert [name for name in names if not str(name).startswith(f"{collected}.")] == []
