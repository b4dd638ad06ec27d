"""What publications let out, found without a look at each: held to a look at each."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.actions import Register
from shared.assets import Kind
from shared.globs import can_match
from shared.rules import Provider, RegistryRule, Rules
from shared.rules_findings import Finding
from shared.rules_match_checks import check_matches
from shared.rules_offers import Offers
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.unit import random_rules
from tests.unit.random_rules import workspace

HUB = Provider((RegistryRule("contoso-hub", ("*",)),))
MANY = 1_500

_globs = st.lists(st.sampled_from(["a", "b", "ab", "*", "?", "{a,b}", "{,b}"]), min_size=1, max_size=4).map("".join)


@given(st.lists(_globs, max_size=8), _globs, st.sampled_from(["*", "publisher0", "banks"]))
def test_none_is_overlooked_that_has_a_name_in_common(published: list[str], wanted: str, named: str) -> None:
    tenants = [replace(publisher(number), publications=(publication(glob),)) for number, glob in enumerate(published)]
    provider = replace(HUB, groups={"banks": ("publisher1", "publisher2")})

    found = {offer.publisher for offer in Offers(tenants, provider).alike([named], AssetPattern(Kind.MODEL, wanted))}

    fitting = {f"publisher{number}" for number, glob in enumerate(published) if can_match([[glob], [wanted]])}
    assert found >= {publisher for publisher in fitting if provider.includes((named,), publisher)}
    assert all(provider.includes((named,), publisher) for publisher in found)


@settings(max_examples=30)
@given(random_rules.the_rules)
def test_whoever_can_be_named_is_called_the_same_as_by_the_provider(rules: Rules) -> None:
    parties = Offers(rules.tenants.values(), rules.provider).parties

    assert parties == {tenant: rules.provider.names_of(tenant) for tenant in rules.tenants}


def publisher(number: int) -> Tenant:
    return Tenant(f"publisher{number}", TenantState.ACTIVE, (workspace(f"w{number}"),))


def publication(*globs: str) -> Publication:
    return Publication("all", "contoso-hub", tuple(AssetPattern(Kind.MODEL, glob) for glob in globs), ("*",))


def subscriber(*globs: str) -> Tenant:
    patterns = tuple(AssetPattern(Kind.MODEL, glob) for glob in globs)
    into = workspace("subscriber")
    wanted = Subscription("all", ("*",), patterns, into, (Register(),))
    return Tenant("subscriber", TenantState.ACTIVE, (into,), subscriptions=(wanted,))


def findings(tenants: list[Tenant], most_looks: int = 1_000_000) -> list[Finding]:
    files = {f"{tenant.id}.yaml": tenant for tenant in tenants}
    return list(check_matches(files, HUB, {"subscriber.yaml"}, most_looks))


def test_given_thousands_of_patterns_when_nothing_of_anybody_fits_then_it_is_warned_of() -> None:
    many = [replace(publisher(number), publications=(publication(f"card-{number}-*"),)) for number in range(MANY)]

    (nothing,) = findings([*many, subscriber("card-7-*", f"card-{MANY}-*", "*-card-*", "card-*")])

    assert nothing.path == ("subscriptions", 0, "assets", 1)
    assert "no tenant publishes any model that 'card-1500-*' stands for" in nothing.what


def test_given_thousands_of_patterns_when_one_wants_a_part_of_them_then_few_are_looked_at() -> None:
    many = [replace(publisher(number), publications=(publication(f"card-{number}-*"),)) for number in range(MANY)]

    assert findings([*many, subscriber("card-7-*", "card-8-x", "*")], most_looks=10) == []


def test_given_more_to_look_at_than_is_allowed_when_checked_then_it_says_what_was_not() -> None:
    many = [replace(publisher(number), publications=(publication(f"card-{number}"),)) for number in range(MANY)]

    nothing, unchecked = findings([*many, subscriber("*-debit", "card-7", "*-credit")], most_looks=MANY)

    assert (unchecked.file, unchecked.path, unchecked.is_warning) == ("subscriber.yaml", ("subscriptions", 0, "assets", 1), True)
    assert "whether anything can come by it was not checked, nor by 1 more: too much is published" in unchecked.what
    assert nothing.path == ("subscriptions", 0, "assets", 0)
