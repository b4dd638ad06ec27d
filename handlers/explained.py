"""Finds what has to be known of an asset before its answers can be explained, and what was decided about it before.

Its rows say it where it was shared. Else the rules do: to where, and under which name, its workspace's tenant publishes it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from shared.actions import Register
from shared.assets import Asset, Kind, WorkspaceId
from shared.objections import letting_out
from shared.planning import SharedAsset
from shared.ports import Rows
from shared.rows import DeliveryRow, ShareRow
from shared.rules import Rules
from shared.states import DeliveryState, ShareState
from shared.tenants import Publication

ANY_VERSION = ""
MOST_NAMED = 10  # workspaces among which to choose


@dataclass(frozen=True, slots=True)
class Question:
    """Which asset: by its name in a registry, or in `workspace`. It need not exist. `tags` None: those that it has, if it does."""

    kind: Kind
    name: str
    version: str = ANY_VERSION
    registry: str | None = None
    workspace: WorkspaceId | None = None
    tags: Mapping[str, str] | None = None

    @property
    def asset(self) -> Asset:
        return Asset(self.kind, self.name, self.version)


@dataclass(frozen=True, slots=True)
class Known:
    """`source` and `tags_from` say, in words, where this is known from. `share` is its row, where it was ever shared.

    `recall` is why it was taken back, `notes` what else keeps it from going where the rules allow it.
    """

    shared: SharedAsset
    source: str
    tags_from: str
    share: ShareRow | None = None
    recall: str | None = None
    notes: tuple[str, ...] = ()


class UnclearError(Exception):
    """Which asset is meant cannot be told: what to say in addition."""


def find(question: Question, rules: Rules, rows: Rows) -> list[Known]:
    """One for each registry, and each name there, under which the asset is shared or would be. Never none: UnclearError."""
    known = [each.name for each in rules.provider.registries]
    if question.registry is not None and question.registry not in known:
        raise UnclearError(f"registry {question.registry} is not in provider.yaml, which has {', '.join(known) or 'none'}")
    registries = [question.registry] if question.registry else known
    shared = [found for registry in registries if (found := _from_rows(question, question.asset, registry, rows))]
    if shared and question.workspace is None:
        return shared
    workspace = question.workspace or _only_workspace(question, rules)
    places = _places(question.asset, workspace, registries, rules, published_only=bool(shared))
    there = {(each.shared.registry, each.shared.asset.name) for each in shared}
    others = [place for place in places if place not in there]
    return shared + list(_from_rules(question, workspace, others, registries, rows))


def decided_before(known: Known, rows: Rows, only: Collection[str] | None = None) -> list[DeliveryRow]:
    """The deliveries of the asset that have a row, pulls among them, by tenant and target. A no leaves none."""
    if known.share is None:
        return []
    partition = known.shared.asset.key
    found = chain(rows.closed_deliveries(partition), rows.open_deliveries(partition))
    by_target = {row.address: row for row in found if row.registry == known.shared.registry}  # one may be moved between the two
    wanted = (row for row in by_target.values() if only is None or row.tenant in only)
    return sorted(wanted, key=lambda row: (row.tenant, row.workspace.canonical, row.action.route))


def _from_rows(question: Question, asset: Asset, registry: str, rows: Rows) -> Known | None:
    if asset.version == ANY_VERSION:
        return None
    share = rows.get(ShareRow.address_of(registry, asset))
    if not isinstance(share, ShareRow) or (question.workspace and share.origin != question.workspace):
        return None
    plan = rows.plan(asset, registry)
    if question.tags is not None:
        tags, tags_from = question.tags, "as given"
    elif plan is not None:
        tags, tags_from = plan.asset.tags, f"as they were in {registry} when it was shared"
    else:
        tags, tags_from = {}, "not known: it is not in the registry yet"
    return Known(
        SharedAsset(asset, registry, share.origin, tags, share.source, plan.asset.regions if plan else ()),
        source=f"{share.address}, {share.state}",
        tags_from=tags_from,
        share=share,
        recall=share.recall or (plan.recall if plan else None),
        notes=tuple(_notes(share)),
    )


def _notes(share: ShareRow) -> Iterator[str]:
    if share.state is ShareState.FAILED:
        yield f"Its share failed: {share.reason}."
    if not share.fan_out:
        yield "It was shared for nobody: who gets it is for a push to say."


def _from_rules(
    question: Question, workspace: WorkspaceId, places: Sequence[tuple[str, str]], registries: Collection[str], rows: Rows
) -> Iterator[Known]:
    """What is to be in each of these registries, under these names."""
    delivered = tuple(_delivered_there(question.asset, workspace, registries, rows))
    for registry, name in places:
        asset = replace(question.asset, name=name)
        yield _from_rows(replace(question, workspace=workspace), asset, registry, rows) or Known(
            SharedAsset(asset, registry, workspace, question.tags or {}, question.asset),
            source=f"the rules alone: it was not shared to {registry}" if question.version else "the rules alone",
            tags_from="as given" if question.tags is not None else "not known: none were given",
            notes=delivered,
        )


def _delivered_there(asset: Asset, workspace: WorkspaceId, registries: Collection[str], rows: Rows) -> Iterator[str]:
    """What Fanout registered in a workspace it does not share from there."""
    for registry in registries if asset.version else ():
        delivery = rows.find_delivery(DeliveryRow.address_of(asset, registry, workspace, Register().route))
        if delivery is not None and delivery.state is DeliveryState.DELIVERED:
            yield f"Fanout delivered it to {workspace.name} from registry {registry}: it is not shared from there."


def _places(
    asset: Asset, workspace: WorkspaceId, registries: Collection[str], rules: Rules, *, published_only: bool
) -> list[tuple[str, str]]:
    """Registry and name there, by the publications that are about the asset.

    Without any, and unless `published_only`: by all publications of the tenant, or else as it is.
    """
    publisher = rules.tenant_of(workspace)
    if publisher is None:
        if published_only:
            return []
        raise UnclearError(f"workspace {workspace} belongs to no tenant: correct it, or add it to its tenant's rules")
    fitting: Collection[Publication] = list(letting_out(publisher, asset, workspace, None, rules))
    if not (fitting or published_only):
        fitting = publisher.publications
    places = {(each.registry, each.name_in_registry(publisher.id, asset.name)) for each in fitting}
    wanted = sorted(place for place in places if place[0] in registries)
    return wanted if wanted or published_only else [(registry, asset.name) for registry in registries]


def _only_workspace(question: Question, rules: Rules) -> WorkspaceId:
    """That of the one tenant whose publications are about such an asset."""
    found = [
        (tenant.id, workspace)
        for tenant in rules.tenants.values()
        for workspace in tenant.workspaces
        if any(letting_out(tenant, question.asset, workspace, None, rules))
    ]
    if len(found) == 1:
        return found[0][1]
    what = f"{question.kind} {question.name}"
    if not found:
        raise UnclearError(
            f"{what} was not shared under this name, and no publication is about it: say with --workspace where it is, "
            "or will be, and write its name there"
        )
    named = ", ".join(f"{workspace.name} of {tenant}" for tenant, workspace in sorted(found, key=str)[:MOST_NAMED])
    more = ", …" if len(found) > MOST_NAMED else ""
    raise UnclearError(f"{what} could come from {len(found)} workspaces: say with --workspace which one ({named}{more})")
