"""What `fanout explain` says of an asset, and what the app then does with it, are the same: whatever the rules are."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import event, given, settings
from hypothesis import strategies as st

from handlers.explained import Known, Question, UnclearError, find
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId
from shared.explain import Answer, explain
from shared.rules import Rules
from tests.fakes import World
from tests.unit import random_rules
from tests.unit.random_rules import WORKSPACES
from tests.unit.world import register

REGISTERED = datetime(2026, 2, 28, tzinfo=UTC)
CARD = Asset(Kind.MODEL, "card-1", "1")
TAGS = [{}, {"stage": "production"}, {"stage": "draft", "area": "production"}]

type Place = tuple[str, str, str, WorkspaceId, str]  # registry, name there, tenant, workspace, route


def without_azure(rules: Rules) -> Rules:
    """Without what only Azure can answer: where registries lie, and whether an environment is there."""
    tenants = {
        tenant.id: replace(tenant, publications=tuple(replace(each, regions=(), environment=None) for each in tenant.publications))
        for tenant in rules.tenants.values()
    }
    return replace(rules, tenants=tenants)


def explained(known: list[Known], world: World) -> set[Place]:
    """Who gets it, at once or later."""
    return set(_yeses(known, world))


def _yeses(known: list[Known], world: World) -> Iterator[Place]:
    for each in known:
        for answer in explain(each.shared, world.rules.current(), world.clock.now(), recall=each.recall):
            for decision in answer.decisions:
                if answer.answer_to(decision) is not Answer.NO:
                    place = (each.shared.registry, each.shared.asset.name, answer.tenant)
                    yield (*place, decision.workspace, decision.action.route)


def delivered(world: World) -> set[Place]:
    """Whose delivery was planned, whatever became of it."""
    rows = [*world.rows.deliveries.values(), *world.rows.closed.values()]
    return {(row.registry, row.asset.name, row.tenant, row.workspace, row.action.route) for row in rows}


def asked(question: Question, world: World) -> list[Known]:
    try:
        return find(question, world.rules.current(), world.rows)
    except UnclearError:  # the workspace is nobody's
        return []


@settings(max_examples=200)  # in one of four somebody gets it
@given(random_rules.rules().map(without_azure), st.sampled_from(WORKSPACES), st.sampled_from(TAGS))
def test_what_is_explained_before_is_what_is_done_and_what_is_explained_afterwards(
    rules: Rules, workspace: WorkspaceId, tags: dict[str, str]
) -> None:
    world = World(rules)
    question = Question(CARD.kind, CARD.name, CARD.version, workspace=workspace)
    foretold = explained(asked(replace(question, tags=tags), world), world)

    world.azure.assets[workspace, CARD] = WorkspaceAsset(CARD, f"azureml://{workspace.name}/datastores/x", REGISTERED, tags=tags)
    register(world, CARD, workspace)
    world.run()

    event(f"{len(foretold)} deliveries")
    assert delivered(world) == foretold
    assert explained(asked(question, world), world) == foretold
