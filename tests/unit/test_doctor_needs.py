"""What rules need of workspaces and registries."""

from dataclasses import replace

from shared.actions import Mode, Register
from shared.assets import Kind
from shared.doctor.needs import RegistryNeeds, WorkspaceNeeds, endpoint_needs, registry_needs, workspace_needs
from shared.rules import Provider, RegistryRule, Rules
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.unit.doctor_world import CARDS, LOANS, SERVING

CARD_MODELS = AssetPattern(Kind.MODEL, "card-*")
PUBLISHER = Tenant(
    "northwind",
    TenantState.ACTIVE,
    (LOANS,),
    (
        Publication("cards", "hub", (CARD_MODELS,), ("fabrikam",), environment="sklearn:3", regions=("westeurope",)),
        Publication("rows", "spare", (AssetPattern(Kind.DATA, "rows-*"),), ("*",)),
    ),
)
LIVE = Subscription("live", ("northwind",), (CARD_MODELS,), CARDS, (Register(), SERVING))
SUBSCRIBER = Tenant("fabrikam", TenantState.PAUSED, (CARDS,), subscriptions=(LIVE,), regions={CARDS: "westeurope"})
PROVIDER = Provider((RegistryRule("hub", ("*",)), RegistryRule("spare", ("*",))))


def needs_of(subscriber: Tenant = SUBSCRIBER) -> WorkspaceNeeds:
    rules = Rules(PROVIDER, {each.id: each for each in (PUBLISHER, subscriber)}, 1)
    (needs,) = workspace_needs([subscriber], rules)
    return needs


def test_a_publisher_needs_what_its_publications_let_out() -> None:
    (needs,) = workspace_needs([PUBLISHER], Rules(PROVIDER, {PUBLISHER.id: PUBLISHER}, 1))
    assert needs.shares == {Kind.MODEL, Kind.DATA, Kind.ENVIRONMENT}
    assert needs.shares_through == ("hub", "spare")
    assert needs.tells_of_models
    assert not needs.registers
    assert not needs.endpoints


def test_a_publication_of_other_workspaces_needs_nothing_of_this_one() -> None:
    publication = replace(PUBLISHER.publications[0], workspaces=(CARDS,))
    elsewhere = replace(PUBLISHER, workspaces=(LOANS, CARDS), publications=(publication,))
    first, second = workspace_needs([elsewhere], Rules(PROVIDER, {elsewhere.id: elsewhere}, 1))
    assert not first.shares
    assert second.shares


def test_a_subscriber_needs_the_registries_through_which_something_can_come_to_it() -> None:
    needs = needs_of()
    assert (needs.takes_from, needs.stated_region) == (("hub",), "westeurope")
    assert needs.registers == {Kind.MODEL}
    assert [each.action for each in needs.endpoints] == [SERVING]
    assert not needs.copies
    assert not needs.tells_of_models


def test_only_bytes_are_copied() -> None:
    copying = replace(LIVE, actions=(Register(Mode.COPY),))
    assert needs_of(replace(SUBSCRIBER, subscriptions=(copying,))).copies
    environments = replace(copying, assets=(AssetPattern(Kind.ENVIRONMENT, "*"),))
    assert not needs_of(replace(SUBSCRIBER, subscriptions=(environments,))).copies


def test_a_registry_needs_more_where_something_is_published_through_it() -> None:
    rules = Rules(PROVIDER, {PUBLISHER.id: PUBLISHER}, 1)
    hub, spare = registry_needs(["spare", "hub", "unlisted"], rules)
    assert (hub.name, hub.published_to, hub.bounded) == ("hub", True, (("northwind", PUBLISHER.publications[0]),))
    assert spare.bounded == ()
    assert list(registry_needs(["hub"], Rules(PROVIDER, {}, 1))) == [RegistryNeeds(PROVIDER.registries[0], False, ())]


def test_endpoints_of_all_tenants_share_the_limits() -> None:
    rules = Rules(PROVIDER, {PUBLISHER.id: PUBLISHER, SUBSCRIBER.id: SUBSCRIBER}, 1)
    assert [(each.workspace, each.subscription) for each in endpoint_needs(rules)] == [(CARDS, "live")]
