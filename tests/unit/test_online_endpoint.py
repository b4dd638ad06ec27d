"""What an endpoint needs next: whatever it looks like, the moves end in serving, and touch nothing that is not Fanout's."""

import re
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.assets import Asset, Kind
from shared.online_endpoint import (
    DELIVERY_TAG,
    RANK_TAG,
    Broken,
    CreateDeployment,
    CreateEndpoint,
    DeleteDeployment,
    Deployment,
    Endpoint,
    Move,
    Serving,
    SetTraffic,
    Taken,
    Wait,
    deployment_name,
    next_move,
)
from tests.unit.random_rows import asset_names
from tests.unit.world import credit_card

AZURE_NAME = re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?")


def delivery_of(asset: Asset) -> str:
    return f"delivery/{asset.key}/cards"


def name_of(asset: Asset) -> str:
    return deployment_name(asset, delivery_of(asset))


MADE_BY = {name_of(credit_card(version)): delivery_of(credit_card(version)) for version in ("1", "2", "3", "4", "7")}
*OLDER, WANTED = MADE_BY
TENANTS_OWN = ("blue", "champion")
OURS = {DELIVERY_TAG: "delivery/cards"}


def of_ours(name: str, state: str = "succeeded", rank: int = 7) -> Deployment:
    return Deployment(name, state, {DELIVERY_TAG: MADE_BY[name], RANK_TAG: f"2026-03-{rank:02}"})


def an_endpoint(*deployments: Deployment, traffic: dict[str, int] | None = None, state: str = "succeeded") -> Endpoint:
    return Endpoint("cards", state, OURS, traffic or {}, deployments)


# ---- one look


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (None, CreateEndpoint()),
        (an_endpoint(state="creating"), Wait()),
        (an_endpoint(state="deleting"), Wait()),
        (an_endpoint(state="failed"), Broken("endpoint cards")),
        (an_endpoint(state="canceled"), Broken("endpoint cards")),
        (replace(an_endpoint(), tags={}), Taken("endpoint cards")),
        (replace(an_endpoint(state="failed"), tags={}), Taken("endpoint cards")),
        (an_endpoint(), CreateDeployment()),
        (an_endpoint(of_ours(OLDER[0])), CreateDeployment()),
        (an_endpoint(of_ours(WANTED, "creating")), Wait()),
        (an_endpoint(of_ours(WANTED, "failed")), Broken(f"deployment {WANTED}")),
        (an_endpoint(Deployment(WANTED, "succeeded")), Taken(f"deployment {WANTED}")),
        (an_endpoint(of_ours(WANTED), traffic={WANTED: 100}), Serving()),
    ],
)
def test_the_next_move_by_what_is_there(endpoint: Endpoint | None, expected: Move) -> None:
    assert next_move(endpoint, WANTED, (100,)) == expected


def test_the_first_version_gets_all_traffic_at_once() -> None:
    endpoint = an_endpoint(of_ours(WANTED))
    assert next_move(endpoint, WANTED, (10, 100)) == SetTraffic(endpoint, {WANTED: 100})


def test_a_new_version_begins_with_the_first_step_and_the_old_one_keeps_the_rest() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(WANTED), traffic={OLDER[0]: 100})
    assert next_move(endpoint, WANTED, (10, 100)) == SetTraffic(endpoint, {OLDER[0]: 90, WANTED: 10})


def test_steps_are_percent_of_what_the_tenant_left_to_fanout() -> None:
    endpoint = an_endpoint(Deployment("blue", "succeeded"), of_ours(OLDER[0]), of_ours(WANTED), traffic={"blue": 40, OLDER[0]: 60})
    assert next_move(endpoint, WANTED, (50, 100)) == SetTraffic(endpoint, {"blue": 40, OLDER[0]: 30, WANTED: 30})


def test_after_the_last_step_comes_all_of_it() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0]), of_ours(WANTED), traffic={OLDER[0]: 90, WANTED: 10})
    assert next_move(endpoint, WANTED, (10,)) == SetTraffic(endpoint, {WANTED: 100})


def test_a_tenant_that_takes_all_traffic_for_itself_keeps_it() -> None:
    endpoint = an_endpoint(Deployment("blue", "succeeded"), of_ours(WANTED), traffic={"blue": 100})
    assert next_move(endpoint, WANTED, (10, 100)) == Serving()


def test_what_is_wanted_stays_even_where_the_tenant_takes_all_traffic() -> None:
    tenants, other = Deployment("blue", "succeeded"), of_ours(OLDER[0], rank=2)
    endpoint = an_endpoint(tenants, other, of_ours(WANTED, rank=1), traffic={"blue": 100})
    assert next_move(endpoint, WANTED, (100,)) == Serving()


def test_of_two_older_deployments_without_traffic_the_newer_is_kept() -> None:
    older, newer = of_ours(OLDER[0], rank=1), of_ours(OLDER[1], rank=2)
    endpoint = an_endpoint(newer, older, of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, WANTED, (100,)) == DeleteDeployment(older.name)


def test_the_deployment_that_is_kept_is_a_way_back_so_not_one_that_failed() -> None:
    """Given version 1 served, version 2 failed to start and version 7 serves now."""
    served, failed = of_ours(OLDER[0], rank=1), of_ours(OLDER[1], "failed", rank=2)
    endpoint = an_endpoint(served, failed, of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, WANTED, (100,)) == DeleteDeployment(failed.name)


def test_a_deployment_on_which_azure_is_at_work_is_not_deleted() -> None:
    endpoint = an_endpoint(of_ours(OLDER[0], "updating"), of_ours(OLDER[1]), of_ours(WANTED), traffic={WANTED: 100})
    assert next_move(endpoint, WANTED, (100,)) == Serving()


# ---- all moves, until it serves


def settled(state: str) -> str:
    return state if state in ("succeeded", "failed", "canceled") else "succeeded"


@dataclass
class AzureMl:
    """An endpoint to which moves are applied as Azure ML would, refusing what it refuses; `looks` is what was seen on the way."""

    endpoint: Endpoint | None
    looks: list[Endpoint] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def play(self, steps: tuple[int, ...], most: int) -> Move:
        for _ in range(most):
            move = next_move(self.endpoint, WANTED, steps)
            if isinstance(move, Serving | Taken | Broken):
                return move
            self.moves.append(move)
            self.endpoint = self._after(move)
            self.looks.append(self.endpoint)
        raise AssertionError(f"no end in {most} moves: {self.moves}")

    def _after(self, move: Move) -> Endpoint:
        match move:
            case CreateEndpoint():
                return Endpoint("cards", "creating", OURS)
            case SetTraffic(endpoint, traffic):
                assert endpoint == self.endpoint
                return replace(self._there, traffic=traffic, state="updating")
            case CreateDeployment():
                assert WANTED not in {each.name for each in self._there.deployments}
                return self._with(*self._there.deployments, of_ours(WANTED, "creating"))
            case DeleteDeployment(name):
                assert not self._there.traffic.get(name), "Azure refuses to delete a deployment with traffic"
                return self._with(*(each for each in self._there.deployments if each.name != name))
            case _:
                done = [replace(each, state=settled(each.state)) for each in self._there.deployments]
                return replace(self._with(*done), state="succeeded")

    @property
    def _there(self) -> Endpoint:
        assert self.endpoint
        return self.endpoint

    def _with(self, *deployments: Deployment) -> Endpoint:
        return replace(self._there, deployments=deployments)


STATES = st.sampled_from(["succeeded", "succeeded", "succeeded", "failed", "canceled", "updating", "creating"])


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    """An endpoint of ours in any state that Azure can show, the wanted deployment not there, arriving or there."""
    older = [of_ours(name, draw(STATES), OLDER.index(name)) for name in draw(st.sets(st.sampled_from(OLDER)))]
    own = [
        Deployment(name, draw(STATES), draw(st.just({}) | st.just({"by": "hand"})))
        for name in draw(st.sets(st.sampled_from(TENANTS_OWN)))
    ]
    arriving = of_ours(WANTED, draw(st.sampled_from(["succeeded", "creating"])), draw(st.integers(0, 9)))
    wanted = [arriving] if draw(st.booleans()) else []
    deployments = draw(st.permutations([*older, *own, *wanted]))
    state = draw(st.sampled_from(["succeeded", "succeeded", "updating"]))
    return Endpoint("cards", state, OURS, draw(traffic_over([each.name for each in deployments])), tuple(deployments))


def traffic_over(names: list[str]) -> st.SearchStrategy[dict[str, int]]:
    """None at all, or 100 percent in parts."""
    cuts = st.lists(st.integers(0, 100), min_size=len(names) - 1, max_size=len(names) - 1).map(sorted) if names else st.nothing()
    parts = cuts.map(lambda cut: [high - low for low, high in zip([0, *cut], [*cut, 100], strict=True)])
    return st.just({}) | parts.map(lambda percents: dict(zip(names, percents, strict=True)))


rising_steps = st.sets(st.integers(1, 99), max_size=4).map(lambda steps: (*sorted(steps), 100))


def bound(endpoint: Endpoint | None, steps: tuple[int, ...]) -> int:
    """Two to create, one a step, one for each deployment to delete; a wait after each, one before all, and the last look."""
    return 2 * (2 + len(steps) + len(endpoint.deployments if endpoint else ())) + 2


def shares(endpoint: Endpoint, ours: bool) -> dict[str, int]:
    names = {each.name for each in endpoint.deployments if each.is_ours == ours}
    return {name: percent for name, percent in endpoint.traffic.items() if name in names and percent}


@given(endpoint=st.none() | endpoints(), steps=rising_steps)
def test_whatever_the_endpoint_looks_like_it_serves_after_few_moves(endpoint: Endpoint | None, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    assert azure.play(steps, bound(endpoint, steps)) == Serving()
    assert azure.endpoint
    theirs = sum(shares(azure.endpoint, ours=False).values())
    assert azure.endpoint.traffic.get(WANTED, 0) == 100 - theirs
    assert WANTED in {each.name for each in azure.endpoint.deployments}


@given(endpoint=st.none() | endpoints(), steps=rising_steps)
def test_traffic_sums_to_0_or_100_and_names_only_what_is_there(endpoint: Endpoint | None, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    azure.play(steps, bound(endpoint, steps))
    for look in azure.looks:
        assert sum(look.traffic.values()) in (0, 100)
        assert {name for name, percent in look.traffic.items() if percent} <= {each.name for each in look.deployments}


@given(endpoint=endpoints(), steps=rising_steps)
def test_the_tenants_own_deployments_and_their_traffic_stay_as_they_are(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    azure.play(steps, bound(endpoint, steps))
    own = {each.name for each in endpoint.deployments if not each.is_ours}
    for look in azure.looks:
        assert {each.name for each in look.deployments if not each.is_ours} == own
        assert shares(look, ours=False) == shares(endpoint, ours=False)


@given(endpoint=endpoints(), steps=rising_steps)
def test_only_what_fanout_made_is_deleted_and_never_what_is_wanted(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    azure.play(steps, bound(endpoint, steps))
    assert {move.name for move in azure.moves if isinstance(move, DeleteDeployment)} <= set(OLDER)


@given(endpoint=endpoints(), steps=rising_steps)
def test_steps_are_taken_in_order_and_none_is_left_out(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    azure.play(steps, bound(endpoint, steps))
    room = 100 - sum(shares(endpoint, ours=False).values())
    start = endpoint.traffic.get(WANTED, 0)
    older_serve = bool(shares(endpoint, ours=True).keys() - {WANTED})
    reached = {room * step // 100 for step in steps} if older_serve else {room}
    taken = [move.traffic[WANTED] for move in azure.moves if isinstance(move, SetTraffic)]
    assert taken == sorted(share for share in reached if share > start)


@given(endpoint=endpoints(), steps=rising_steps)
def test_at_most_one_of_ours_is_kept_without_traffic(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    azure.play(steps, bound(endpoint, steps))
    assert azure.endpoint
    ready = [each for each in azure.endpoint.deployments if each.is_ours and each.state == settled(each.state)]
    assert len([each for each in ready if each.name != WANTED and not azure.endpoint.traffic.get(each.name)]) <= 1


@given(endpoint=endpoints(), steps=rising_steps)
def test_an_endpoint_that_serves_is_left_alone(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    azure = AzureMl(endpoint)
    azure.play(steps, bound(endpoint, steps))
    assert next_move(azure.endpoint, WANTED, steps) == Serving()


@given(endpoint=endpoints(), steps=rising_steps)
def test_an_endpoint_that_someone_else_made_is_never_touched(endpoint: Endpoint, steps: tuple[int, ...]) -> None:
    azure = AzureMl(replace(endpoint, tags={"team": "risk"}))
    assert azure.play(steps, most=1) == Taken("endpoint cards")


# ---- names

models = st.builds(Asset, st.just(Kind.MODEL), asset_names, asset_names | st.text(min_size=1, max_size=255))


@given(asset=models)
@example(credit_card("9" * 40))
@example(credit_card("."))
def test_a_deployment_has_a_name_that_azure_accepts_whatever_the_version_is(asset: Asset) -> None:
    name = name_of(asset)
    assert 3 <= len(name) <= 32
    assert AZURE_NAME.fullmatch(name)


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
    copied = Deployment("champion", "succeeded", {DELIVERY_TAG: MADE_BY[WANTED], RANK_TAG: "2026-03-01"})
    assert not copied.is_ours
    assert of_ours(WANTED).is_ours
    endpoint = an_endpoint(copied, of_ours(WANTED), traffic={"champion": 30, WANTED: 70})
    assert next_move(endpoint, WANTED, (100,)) == Serving()
