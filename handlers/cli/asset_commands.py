"""`fanout share`, `push`, `pull` and `recall`: what is asked for about an asset."""

from typing import Annotated

import typer

from handlers.cli import completion
from handlers.cli.arguments import actions_in, asset_in, receiving_workspace, workspace_in
from handlers.cli.connection import connect
from handlers.cli.documents import AsJson
from handlers.cli.sending import LONGEST_WAIT, Actions, CorrelationId, Registry, Timeout, Wait, ask, way
from handlers.cli.terminal import reaching
from shared.rules import Rules

AssetText = Annotated[str, typer.Argument(metavar="ASSET", help="kind:name:version; the version may be latest.")]
TenantText = Annotated[str, completion.tenant("--tenant", "Who asks for it, and gets it.")]


def share(
    asset: AssetText,
    workspace: Annotated[
        str,
        completion.workspace("--from", "The workspace that has it: its ARM id, or its name."),
    ],
    registry: Registry = None,
    fan_out: Annotated[bool, typer.Option("--fan-out/--no-fan-out", help="Whether its subscribers are to get it.")] = True,
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Share an asset of a workspace to the registries that its tenant publishes it to.

    \b
    fanout share model:credit-card:3 --from northwind-dev
    fanout share data:rows:latest --from northwind-dev --no-fan-out --wait
    """
    wanted, chosen = asset_in(asset), way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    document = {
        "type": "share",
        "workspace": str(workspace_in(workspace, _rules)),
        "asset": wanted.document,
        "registry": registry,
    }
    ask(document | {"fan_out": None if fan_out else False}, chosen)


def push(
    asset: AssetText,
    to: Annotated[
        list[str] | None,
        completion.tenant("--to", "A tenant among the subscribers; may be repeated."),
    ] = None,
    into: Annotated[
        list[str] | None, typer.Option("--into", help="One of their workspaces: ARM id, or name; may be repeated.")
    ] = None,
    registry: Registry = None,
    actions: Actions = None,
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Push a shared asset to its subscribers once more: to all, or to those that --to names.

    What stands stays; what failed or was cancelled is opened again. --into and --actions narrow what the subscriptions ask for.

    \b
    fanout push model:credit-card:3 --wait
    fanout push model:credit-card:latest --to fabrikam --to tailwind --actions register
    fanout push model:credit-card:3 --into fabrikam-prod
    """
    wanted, chosen = asset_in(asset), way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    workspaces = [str(workspace_in(each, _rules)) for each in into or ()]
    document = {"type": "push", "asset": wanted.document, "to": to or "subscribers", "registry": registry}
    ask(document | {"into": workspaces or None, "actions": actions_in(actions)}, chosen)


def pull(
    asset: AssetText,
    tenant: TenantText,
    into: Annotated[
        str,
        completion.workspace("--into", "Its workspace: the ARM id, or the name; not needed where it has one."),
    ] = "",
    registry: Registry = None,
    actions: Actions = None,
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Pull an asset of a registry into a tenant's workspace, without a subscription; registered there, unless --actions says else.

    \b
    fanout pull model:credit-card:3 --tenant fabrikam --wait
    fanout pull model:credit-card:latest --tenant fabrikam --into fabrikam-prod --actions '[{"register": {"mode": "copy"}}]'
    """
    wanted, chosen = asset_in(asset), way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    given = actions_in(actions)
    document = {
        "type": "pull",
        "tenant": tenant,
        "workspace": str(receiving_workspace(into, tenant, _rules)),
        "asset": wanted.document,
    }
    ask(document | {"registry": registry, "actions": given}, chosen)


def recall(
    asset: AssetText,
    reason: Annotated[str, typer.Option("--reason", help="Why it is taken back; the tenants are told.")],
    registry: Registry = None,
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Take a version back: archived in the registry, and archived or removed wherever it was delivered.

    \b
    fanout recall model:credit-card:3 --reason "leaks card numbers" --wait
    """
    wanted, chosen = asset_in(asset), way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    ask({"type": "recall", "asset": wanted.document, "reason": reason, "registry": registry}, chosen)


def _rules() -> Rules:
    with reaching("the tables"):
        return connect().rules.current()
