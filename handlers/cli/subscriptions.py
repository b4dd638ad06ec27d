"""`fanout subscriptions`: what tenants take in, from whom, and what is done with it."""

from handlers.cli.rules_prints import fields_text, pattern_text
from handlers.cli.tenants_rules import Sort, commands_about
from shared.assets import WorkspaceId
from shared.rules_document import Document
from shared.rules_pauses import with_subscription_state


def _cells(subscription: Document) -> tuple[str, ...]:
    assets = "; ".join(map(pattern_text, subscription["assets"]))
    actions = ", ".join(map(_action, subscription["actions"]))
    into = WorkspaceId.parse(subscription["into"]).name
    return ", ".join(subscription["from"]), into, fields_text(subscription["release"]), actions, assets


def _action(action: str | Document) -> str:
    """`register`, `online_endpoint cards`."""
    if isinstance(action, str):
        return action
    ((route, fields),) = action.items()
    return f"{route} {fields.get('name') or fields.get('mode')}"


subscriptions = commands_about(
    Sort(
        singular="subscription",
        plural="subscriptions",
        columns=("From", "Into", "Release", "Actions", "Assets"),
        cells=_cells,
        effect="nothing more is delivered by it, and what is under way is held",
        with_state=with_subscription_state,
    )
)
