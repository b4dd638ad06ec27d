"""What tells that a publication is another than it was."""

from dataclasses import replace

import pytest

from shared.assets import Kind
from shared.tenants import AssetPattern, Publication, RuleState
from shared.watching import print_of
from tests.unit.reconcile_world import PRODUCTION
from tests.unit.world import PUBLISHER

CARDS = Publication("cards", "hub", (AssetPattern(Kind.MODEL, "card-*", ("*-draft",), (PRODUCTION,)),), ("*",))


@pytest.mark.parametrize(
    "change",
    [
        {"registry": "vault"},
        {"rename": "{tenant}-{name}"},
        {"workspaces": (PUBLISHER,)},
        {"assets": (*CARDS.assets, AssetPattern(Kind.DATA, "card-*"))},
        {"assets": (replace(CARDS.assets[0], except_=()),)},
        {"assets": (replace(CARDS.assets[0], tags=(replace(PRODUCTION, one_of=None),)),)},
    ],
)
def test_another_print_where_other_assets_leave_or_go_elsewhere(change: dict[str, object]) -> None:
    assert print_of(replace(CARDS, **change), "northwind") != print_of(CARDS, "northwind")  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    "change",
    [{"state": RuleState.PAUSED}, {"to": ("fabrikam",)}, {"advisory": True}, {"regions": ("asia",)}, {"environment": "scoring:1"}],
)
def test_the_same_print_where_the_same_leaves(change: dict[str, object]) -> None:
    assert print_of(replace(CARDS, **change), "northwind") == print_of(CARDS, "northwind")  # type: ignore[arg-type] # by name


def test_the_same_print_in_all_versions_of_fanout() -> None:
    """Else the next one takes every publication for a new one."""
    assert print_of(CARDS, "northwind") == "dpdhgkqdgiqd5encck7inrne4t"


def test_another_print_where_another_tenant_names_it_after_itself() -> None:
    named = replace(CARDS, rename="{tenant}-{name}")
    assert print_of(named, "northwind") != print_of(named, "southridge")
