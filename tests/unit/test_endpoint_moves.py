"""What an endpoint needs next: whatever it looks like, the moves end in serving, or in nothing left, and touch only Fanout's."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.assets import Asset, Kind
from shared.endpoint_moves import (
    Broken,
    Change,
    ClearAway,
    CreateDeployment,
    CreateEndpoint,
    DeleteDeployment,
    Goal,
    Gone,
    Move,
    Overtaken,
    Removal,
    Serving,
    SetTraffic,
    SmokeTest,
    Taken,
    Wait,
)
from shared.endpoints import MARK_TAG, RANK_TAG, Deployment, Endpoint, deployment_name, deployment_tags, endpoint_mark
from shared.provenance import DELIVERY
from shared.removal import next_removal
from shared.rollout import first_move, foreseen, next_move
from shared.rows import DeliveryRow, Rest
from tests.unit.example_rows import A_DELIVERY
from tests.unit.random_rows import asset_names
from tests.unit.world import CARDS, credit_card, workspace

AZURE_NAME = re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
MARK = endpoint_mark(workspace("fabrikam"), CARDS)


def delivery_of(asset: Asset) -> DeliveryRow:
    return replace(A_DELIVERY, asset=asset, partition=asset.key, action=CARDS)


def name_of(asset: Asset) -> str:
    return deployment_name(asset, str(delivery_of(asset).address))


TAGS = {name_of(credit_card(version)): deployment_tags(delivery_of(credit_card(version))) for version in ("1", "2", "3", "7", "8")}
*OLDER, WANTED, NEWER = TAGS
TENANTS_OWN = ("blue", "champion")
RANKS = {name: f"2026-03-{day:02}" for day, name in enumerate(TAGS, 1)}
GOAL = Goal(WANTED, MARK)


def of_ours(name: str, state: str = "succeeded") -> Deployment:
    return Deployment(name, state, TAGS[name] | {RANK_TAG: RANKS[name]})


def an_endpoint(*deployments: Deployment, traffic: dict[str, int] | None = None, state: str = "succeeded") -> Endpoint:
    return Endpoint("cards", state, {MARK_TAG: MARK}, traffic or {}, deployments)


def of_the_tenants(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, tags={"team": "risk"})


# ---- one look


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (None, CreateEndpoint()),
        (an_endpoint(state="creating"), Wait()),
        (an_endpoint(state="deleting"), Wait()),
        (of_the_tenants(an_endpoint()), Taken("endpoint cards")),
        (of_the_tenants(an_endpoint(state="failed")), Taken("endpoint cards")),
        (an_endpoint(), CreateDeployment()),
        (an_endpoint(of_ours(OLDER[0])), CreateDeployment()),
        (an_endpoint(of_ours(WANTED, "creating")), Wait()),
        (an_endpoint(Deployment(WANTED, "succeeded")), Taken(f"deployment {WANTED}")),
        (an_endpoint(of_ours(WANTED), traffic={WANTED: 100}), Serving(100)),
    ],
)
def test_the_next_move_by_what_is_there(endpoint: Endpoint | None, expected: Move) -> None:
    assert next_move(endpoint, GOAL) == expected


@pytest.mark.parametrize(
    ("endpoint", "last", "expected"),
    [
        (an_endpoint(state="failed"), None, CreateEndpoint()),
        (an_endpoint(state="failed"), Change.CREATE_ENDPOINT, Broken("endpoint cards")),
        (an_endpoint(of_ours(WANTED), state="failed"), Change.TRAFFIC, Broken("endpoint cards")),
        (an_endpoint(of_ours(WANTED), state="failed"), None, SetTraffic({WANTED: 100})),
        (an_endpoint(of_ours(WANTED, "failed")), None, ClearAway(DeleteDeployment(WANTED))),
        (an_endpoint(of_ours(WANTED, "failed"), traffic={WANTED: 100}), None, ClearAway(SetTraffic({}))),
        (an_endpoint(of_ours(WANTED, "failed")), Change.CLEAR_AWAY, ClearAway(DeleteDeployment(WANTED))),
        (an_endpoint(of_ours(WANTED, "failed")), Change.CREATE_DEPLOYMENT, Broken(f"deployment {WANTED}")),
    ],
)
def test_what_failed_in_an_earlier_try_is_made_anew_and_what_failed_in_this_one_is_a_failure(
    endpoint: Endpoint, last: Change | None, expected: Move
) -> None:
    assert next_move(endpoint, replace(GOAL, last=last)) == expected


def test_the_first_version_gets_all_traffic_at_once() -> None:
    assert next_move(an_endpoint(of_ours(WANTED)), replace(GOAL, steps=(10, 100))) == SetTraffic({WANTED: 100})


def test_a_new_version_begins_with_the_first_step_and_the_old_one_keeps_the_rest() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(WANTED), traffic={OLDER[0]: 100})
    assert next_move(endpoint, replace(GOAL, steps=(10, 100))) == SetTraffic({OLDER[0]: 90, WANTED: 10})


def test_a_new_version_is_tried_out_before_it_gets_traffic_and_not_any_more_when_it_has_some() -> None:
    untried = an_endpoint(of_ours(OLDER[0]), of_ours(WANTED), traffic={OLDER[0]: 100})
    assert next_move(untried, replace(GOAL, test=True)) == SmokeTest()
    begun = replace(untried, traffic={OLDER[0]: 90, WANTED: 10})
    assert next_move(begun, replace(GOAL, test=True)) == SetTraffic({WANTED: 100})


def test_steps_are_per_cent_of_what_the_tenant_left_to_fanout() -> None:
    endpoint = an_endpoint(Deployment("blue", "succeeded"), of_ours(OLDER[0]), of_ours(WANTED), traffic={"blue": 40, OLDER[0]: 60})
    assert next_move(endpoint, replace(GOAL, steps=(50, 100))) == SetTraffic({"blue": 40, OLDER[0]: 30, WANTED: 30})


def test_after_the_last_step_comes_all_of_it() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(WANTED), traffic={OLDER[0]: 90, WANTED: 10})
    assert next_move(endpoint, replace(GOAL, steps=(10,))) == SetTraffic({WANTED: 100})


def test_a_tenant_that_takes_all_traffic_for_itself_keeps_it() -> None:
    endpoint = an_endpoint(Deployment("blue", "succeeded"), of_ours(WANTED), traffic={"blue": 100})
    assert next_move(endpoint, GOAL) == Serving(0)


@pytest.mark.parametrize(("traffic", "expected"), [({}, SetTraffic({WANTED: 100})), ({"blue": 100}, Serving(0))])
def test_an_endpoint_that_the_tenant_made_is_adopted_when_it_says_so(traffic: dict[str, int], expected: Move) -> None:
    endpoint = of_the_tenants(an_endpoint(Deployment("blue", "succeeded"), of_ours(WANTED), traffic=traffic))
    assert next_move(endpoint, GOAL) == Taken("endpoint cards")
    assert next_move(endpoint, replace(GOAL, adopt=True)) == expected


def test_an_endpoint_to_which_our_tags_were_copied_is_not_ours() -> None:
    copied = {MARK_TAG: endpoint_mark(workspace("fabrikam"), replace(CARDS, name="fraud"))}
    assert next_move(replace(an_endpoint(), tags=copied), GOAL) == Taken("endpoint cards")


def test_a_newer_version_that_serves_is_not_replaced() -> None:
    serving = an_endpoint(of_ours(NEWER), traffic={NEWER: 100})
    assert next_move(serving, replace(GOAL, rank=RANKS[WANTED])) == Overtaken(of_ours(NEWER))
    assert next_move(replace(serving, traffic={}), replace(GOAL, rank=RANKS[WANTED])) == CreateDeployment()
    assert next_move(serving, replace(GOAL, rank=None)) == CreateDeployment()


def test_of_two_older_deployments_without_traffic_the_newer_is_kept() -> None:
    endpoint = an_endpoint(of_ours(OLDER[1]), of_ours(OLDER[0]), of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, GOAL) == DeleteDeployment(OLDER[0])


@pytest.mark.parametrize(
    ("keep", "expected"), [(0, DeleteDeployment(OLDER[0])), (1, DeleteDeployment(OLDER[0])), (2, Serving(100))]
)
def test_as_many_are_kept_as_the_subscription_says(keep: int, expected: Move) -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(OLDER[1]), of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, replace(GOAL, keep=keep)) == expected


def test_the_deployment_that_is_kept_is_a_way_back_so_not_one_that_failed() -> None:
    """Given version 1 served, version 2 failed to start and version 7 serves now."""
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(OLDER[1], "failed"), of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, GOAL) == DeleteDeployment(OLDER[1])


def test_a_deployment_on_which_azure_is_at_work_is_not_deleted() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0], "updating"), of_ours(OLDER[1]), of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, GOAL) == Serving(100)


# ---- where less than a look tells


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        (None, CreateEndpoint()),
        ([of_ours(OLDER[0]), Deployment("blue", "succeeded")], CreateDeployment()),
        ([], None),
        ([Deployment("blue", "succeeded")], None),
        ([of_ours(OLDER[0]), of_ours(NEWER)], None),
        ([of_ours(OLDER[0]), of_ours(WANTED, "failed")], None),
        ([of_ours(OLDER[0]), Deployment(WANTED, "succeeded")], None),
    ],
)
def test_the_deployments_alone_tell_the_first_move_where_an_older_one_of_ours_is_the_newest(
    deployments: list[Deployment] | None, expected: Move | None
) -> None:
    assert first_move(deployments, replace(GOAL, rank=RANKS[WANTED])) == expected


def test_what_is_left_after_the_last_traffic_is_foreseen() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(OLDER[1]), of_ours(WANTED), traffic={OLDER[1]: 100})
    last = SetTraffic({WANTED: 100})
    assert foreseen(endpoint, last, GOAL) == Rest(100, (OLDER[0],))
    assert foreseen(endpoint, last, replace(GOAL, keep=0)) == Rest(100, (OLDER[0], OLDER[1]))
    assert foreseen(endpoint, last, replace(GOAL, keep=2)) == Rest(100)
    assert foreseen(endpoint, last, replace(GOAL, last=Change.LEAVE)) == Rest(100, (OLDER[0],))


def test_nothing_is_foreseen_where_more_traffic_follows() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(WANTED), traffic={OLDER[0]: 100})
    assert foreseen(endpoint, SetTraffic({OLDER[0]: 90, WANTED: 10}), GOAL) is None


# ---- one look, on the way back


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (None, Gone()),
        (an_endpoint(of_ours(OLDER[0]), traffic={OLDER[0]: 100}), Gone()),
        (an_endpoint(Deployment(WANTED, "succeeded"), traffic={WANTED: 100}), Gone()),
        (an_endpoint(of_ours(WANTED, "creating")), Wait()),
        (an_endpoint(of_ours(WANTED), state="updating"), Wait()),
        (an_endpoint(state="updating"), Wait()),
        (an_endpoint(of_ours(WANTED, "failed")), DeleteDeployment(WANTED)),
        (an_endpoint(of_ours(WANTED), traffic={WANTED: 100}), SetTraffic({})),
        (of_the_tenants(an_endpoint(of_ours(WANTED))), DeleteDeployment(WANTED)),
    ],
)
def test_the_next_move_back_by_what_is_there(endpoint: Endpoint | None, expected: Removal) -> None:
    assert next_removal(endpoint, WANTED) == expected


def test_the_version_before_serves_again() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(OLDER[1]), of_ours(WANTED), of_ours(NEWER), traffic={WANTED: 100})
    assert next_removal(endpoint, WANTED) == SetTraffic({OLDER[1]: 100})


def test_the_version_that_serves_beside_it_takes_over() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(OLDER[1]), of_ours(WANTED), traffic={OLDER[0]: 60, WANTED: 40})
    assert next_removal(endpoint, WANTED) == SetTraffic({OLDER[0]: 100})


def test_without_another_of_ours_the_tenants_own_serve_in_their_proportions() -> None:
    own = [Deployment(name, "succeeded") for name in TENANTS_OWN]
    endpoint = an_endpoint(*own, of_ours(WANTED), traffic={"blue": 20, "champion": 10, WANTED: 70})
    assert next_removal(endpoint, WANTED) == SetTraffic({"blue": 67, "champion": 33})


def test_the_tenants_share_stays_where_there_is_another_of_ours() -> None:
    own, before = Deployment("blue", "succeeded"), of_ours(OLDER[0])
    endpoint = an_endpoint(own, before, of_ours(WANTED), traffic={"blue": 30, WANTED: 70})
    assert next_removal(endpoint, WANTED) == SetTraffic({"blue": 30, OLDER[0]: 70})


# ---- all moves, until it serves, or nothing is left


def settled(state: str) -> str:
    return state if state in ("succeeded", "failed", "canceled") else "succeeded"


@dataclass
class AzureMl:
    """An endpoint to which moves are applied as Azure ML would, refusing what it refuses; `looks` is what was seen on the way."""

    endpoint: Endpoint | None
    looks: list[Endpoint] = field(default_factory=list)
    moves: list[Move | Removal] = field(default_factory=list)

    def play(self, look: Callable[[Endpoint | None], Move | Removal], most: int) -> Move | Removal:
        for _ in range(most):
            move = look(self.endpoint)
            if isinstance(move, Serving | Taken | Broken | Gone):
                return move
            self.apply(move)
        raise AssertionError(f"no end in {most} moves: {self.moves}")

    def apply(self, move: Move | Removal) -> None:
        self.moves.append(move.change if isinstance(move, ClearAway) else move)
        self.endpoint = self._after(self.moves[-1])
        self.looks.append(self.endpoint)

    def serve(self, steps: tuple[int, ...], keep: int = 1) -> Move | Removal:
        goal = Goal(WANTED, MARK, steps=steps, keep=keep)
        return self.play(lambda endpoint: next_move(endpoint, goal), bound(self.endpoint, steps))

    def remove(self) -> Move | Removal:
        return self.play(lambda endpoint: next_removal(endpoint, WANTED), most=6)

    def _after(self, move: Move | Removal) -> Endpoint:
        match move:
            case CreateEndpoint():
                return an_endpoint(state="creating")
            case SetTraffic(traffic):
                for name in traffic:
                    assert self._there.find(name)
                return replace(self._there, traffic=traffic, state="updating")
            case CreateDeployment():
                assert self._there.find(WANTED) is None
                return self._with(*self._there.deployments, of_ours(WANTED, "creating"))
            case DeleteDeployment(name):
                assert not self._there.share_of(name), "Azure refuses to delete a deployment with traffic"
                return self._with(*(each for each in self._there.deployments if each.name != name))
            case _:
                done = [replace(each, state=settled(each.state)) for each in self._there.deployments]
                return replace(self._with(*done), state=settled(self._there.state))

    @property
    def _there(self) -> Endpoint:
        assert self.endpoint
        return self.endpoint

    def _with(self, *deployments: Deployment) -> Endpoint:
        return replace(self._there, deployments=deployments)


STATES = st.sampled_from(["succeeded", "succeeded", "succeeded", "failed", "canceled", "updating", "creating"])


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    """An endpoint of ours in any state that Azure can show, the wanted deployment not there, arriving, failed or there."""
    older = [of_ours(name, draw(STATES)) for name in draw(st.sets(st.sampled_from([*OLDER, NEWER])))]
    own = [
        Deployment(name, draw(STATES), draw(st.just({}) | st.just({"by": "hand"}) | st.just(TAGS[WANTED])))
        for name in draw(st.sets(st.sampled_from(TENANTS_OWN)))
    ]
    wanted = [of_ours(WANTED, draw(STATES))] if draw(st.booleans()) else []
    deployments = draw(st.permutations([*older, *own, *wanted]))
    state = draw(st.sampled_from(["succeeded", "succeeded", "updating", "failed"]))
    return an_endpoint(*deployments, traffic=draw(traffic_over([each.name for each in deployments])), state=state)


def traffic_over(names: list[str]) -> st.SearchStrategy[dict[str, int]]:
    """None at all, or 100 percent in parts."""
    cuts = st.lists(st.integers(0, 100), min_size=len(names) - 1, max_size=len(names) - 1).map(sorted) if names else st.nothing()
    parts = cuts.map(lambda cut: [high - low for low, high in zip([0, *cut], [*cut, 100], strict=True)])
    return st.just({}) | parts.map(lambda percents: {name: each for name, each in zip(names, percents, strict=True) if each})


rising_steps = st.sets(st.integers(1, 99), max_size=4).map(lambda steps: (*sorted(steps), 100))
keeps = st.integers(0, 3)


def bound(endpoint: Endpoint | None, steps: tuple[int, ...]) -> int:
    """Two to create, two to clear away, one a step, one for each to delete; a wait after each and before all; the last look."""
    return 2 * (4 + len(steps) + len(endpoint.deployments if endpoint else ())) + 2


def shares(endpoint: Endpoint, ours: bool) -> dict[str, int]:
    names = {each.name for each in endpoint.deployments if each.is_ours == ours}
    return {name: percent for name, percent in endpoint.traffic.items() if name in names and percent}


@given(endpoint=st.none() | endpoints(), steps=rising_steps, keep=keeps)
def test_whatever_the_endpoint_looks_like_it_serves_after_few_moves(
    endpoint: Endpoint | None, steps: tuple[int, ...], keep: int
) -> None:
    azure = AzureMl(endpoint)
    end = azure.serve(steps, keep)
    assert azure.endpoint
    assert end == Serving(azure.endpoint.room)
    assert azure.endpoint.share_of(WANTED) == azure.endpoint.room
    there = azure.endpoint.find(WANTED)
    assert there
    assert there.is_ready


@given(endpoint=endpoints())
def test_whatever_the_endpoint_looks_like_nothing_is_left_of_what_is_removed_after_few_moves(endpoint: Endpoint) -> None:
    azure = AzureMl(endpoint)
    assert azure.remove() == Gone()
    assert azure.endpoint
    assert azure.endpoint.find(WANTED) is None


def there_and_back(endpoint: Endpoint, steps: tuple[int, ...]) -> AzureMl:
    azure = AzureMl(endpoint)
    azure.serve(steps)
    azure.remove()
    return azure


@given(endpoint=endpoints(), steps=rising_steps, keep=keeps)
def test_what_is_foreseen_is_what_comes(endpoint: Endpoint, steps: tuple[int, ...], keep: int) -> None:
    goal = Goal(WANTED, MARK, steps=steps, keep=keep)
    played = AzureMl(endpoint)
    played.serve(steps, keep)
    for seen in (endpoint, *played.looks):
        move = next_move(seen, goal)
        if rest := foreseen(seen, move, goal):
            azure = AzureMl(seen)
            assert azure.serve(steps, keep) == Serving(rest.share)
            moves = [each for each in azure.moves if not isinstance(each, Wait)]
            assert moves == [move, *(DeleteDeployment(name) for name in rest.retire)]


@given(endpoint=endpoints(), steps=rising_steps)
def test_traffic_sums_to_0_or_100_and_names_only_what_is_there(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    for look in there_and_back(endpoint, steps).looks:
        assert sum(look.traffic.values()) in (0, 100)
        assert set(look.traffic) <= {each.name for each in look.deployments}


@given(endpoint=endpoints(), steps=rising_steps)
def test_the_tenants_own_deployments_stay_as_they_are(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    own = {each.name for each in endpoint.deployments if not each.is_ours}
    for look in there_and_back(endpoint, steps).looks:
        assert {each.name for each in look.deployments if not each.is_ours} == own


@given(endpoint=endpoints(), steps=rising_steps)
def test_the_tenants_own_share_stays_as_it_is_until_there_is_nobody_else(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    for look in there_and_back(endpoint, steps).looks:
        if shares(look, ours=True):
            assert shares(look, ours=False) == shares(endpoint, ours=False)
        else:
            assert set(shares(look, ours=False)) == set(shares(endpoint, ours=False))


@given(endpoint=endpoints(), steps=rising_steps)
def test_an_old_one_serves_until_the_new_one_is_ready(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    """Given that the new one has not begun to serve."""
    before = {name: percent for name, percent in endpoint.traffic.items() if name != WANTED}
    azure = AzureMl(replace(endpoint, traffic=before if sum(before.values()) == 100 else {}))
    start = dict(azure.endpoint.traffic) if azure.endpoint else {}
    azure.serve(steps)
    for look in azure.looks:
        there = look.find(WANTED)
        if not (there and there.is_ready):
            assert look.traffic == start


@given(endpoint=endpoints(), steps=rising_steps)
def test_who_serves_alone_keeps_serving_until_another_is_ready(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    """What gets traffic on the way, that had none, is ready."""
    seen = endpoint
    for look in there_and_back(endpoint, steps).looks:
        for name in shares(look, ours=True).keys() - seen.traffic.keys():
            there = look.find(name)
            assert there
            assert there.is_ready
        seen = look


@given(endpoint=endpoints(), steps=rising_steps)
def test_only_what_fanout_made_is_deleted(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    moves = there_and_back(endpoint, steps).moves
    assert {move.name for move in moves if isinstance(move, DeleteDeployment)} <= set(TAGS)


@given(endpoint=endpoints())
def test_on_the_way_back_only_the_one_is_deleted(endpoint: Endpoint) -> None:
    azure = AzureMl(endpoint)
    azure.remove()
    assert {move.name for move in azure.moves if isinstance(move, DeleteDeployment)} <= {WANTED}


@given(endpoint=endpoints(), steps=rising_steps)
def test_steps_are_taken_in_order_and_none_is_left_out(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    own = endpoint.find(WANTED)
    azure = AzureMl(endpoint if own is None or settled(own.state) == "succeeded" else an_endpoint())
    before = azure.endpoint or endpoint
    azure.serve(steps)
    start = before.share_of(WANTED)
    older_serve = bool(shares(before, ours=True).keys() - {WANTED})
    reached = {before.room * step // 100 for step in steps} if older_serve else {before.room}
    taken = [move.traffic[WANTED] for move in azure.moves if isinstance(move, SetTraffic)]
    assert taken == sorted(share for share in reached if share > start)


@given(endpoint=endpoints(), steps=rising_steps, keep=keeps)
def test_no_more_of_ours_are_kept_without_traffic_than_shall_be(endpoint: Endpoint, steps: tuple[int, ...], keep: int) -> None:
    azure = AzureMl(endpoint)
    azure.serve(steps, keep)
    assert azure.endpoint
    ours = [each for each in azure.endpoint.ours().values() if not each.is_changing]
    assert len([each for each in ours if each.name != WANTED and not azure.endpoint.share_of(each.name)]) <= keep


@given(endpoint=endpoints())
def test_an_endpoint_that_someone_else_made_is_never_touched_unless_adopted(endpoint: Endpoint) -> None:
    assert next_move(of_the_tenants(endpoint), GOAL) == Taken("endpoint cards")


@given(endpoint=endpoints(), steps=rising_steps)
def test_an_adopted_endpoint_is_served_like_ours(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    goal = replace(GOAL, steps=steps, adopt=True)
    if endpoint.state == "succeeded":
        assert next_move(of_the_tenants(endpoint), goal) == next_move(endpoint, goal)


# ---- names and tags

models = st.builds(Asset, st.just(Kind.MODEL), asset_names, asset_names | st.text(min_size=1, max_size=255))


@given(asset=models)
@example(credit_card("9" * 40))
@example(credit_card("."))
def test_a_deployment_has_a_name_that_azure_accepts_whatever_the_version_is(asset: Asset) -> None:
    name = name_of(asset)
    assert 3 <= len(name) <= 32
    assert AZURE_NAME.fullmatch(name)


@given(asset=models)
def test_tags_are_no_longer_than_azure_accepts_and_show_the_whole_version(asset: Asset) -> None:
    row = delivery_of(asset)
    tags = deployment_tags(row)
    assert all(len(name) <= 512 and 0 < len(value) <= 256 for name, value in tags.items())
    assert tags["fanout_asset"].endswith(f":{asset.version}")
    assert Deployment(name_of(asset), "succeeded", tags).delivery == row.address


@given(one=models, other=models)
def test_different_assets_are_different_deployments(one: Asset, other: Asset) -> None:
    assert (name_of(one) == name_of(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (credit_card("1.0"), credit_card("1-0")),
        (credit_card("1"), credit_card("1.")),
        (credit_card("rc"), credit_card("RC")),
        (credit_card("9" * 40), credit_card("9" * 41)),
        (credit_card("1"), Asset(Kind.MODEL, "fraud", "1")),
    ],
    ids=str,
)
def test_versions_that_look_alike_are_different_deployments_in_any_case_of_letters(one: Asset, other: Asset) -> None:
    assert name_of(one).lower() != name_of(other).lower()


def test_a_deployments_name_shows_the_version() -> None:
    assert name_of(credit_card("2026.03.1")).startswith("v2026-03-1-")


def test_a_deployment_that_copied_our_tags_is_not_ours() -> None:
    copied = Deployment("champion", "succeeded", {DELIVERY: str(A_DELIVERY.address), RANK_TAG: "2026-03-01"})
    assert not copied.is_ours
    assert copied.delivery is None
    endpoint = an_endpoint(copied, of_ours(WANTED), traffic={"champion": 30, WANTED: 70})
    assert next_move(endpoint, GOAL) == Serving(70)
