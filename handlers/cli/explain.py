"""`fanout explain`: who gets an asset and who does not, and which rule decided it."""

from collections.abc import Sequence
from typing import Annotated

import typer

from handlers.cli import completion
from handlers.cli.arguments import any_version_in, tenant_in, workspace_in
from handlers.cli.connection import connect
from handlers.cli.documents import AsJson, print_json
from handlers.cli.explained import Explained, document_of, print_explained
from handlers.cli.terminal import INVALID, reaching, stop
from handlers.explained import ANY_VERSION, Question, UnclearError, decided_before, find
from shared.commands import LATEST
from shared.explain import explain as explained
from shared.rules import Rules


def explain(
    asset: Annotated[
        str, typer.Argument(metavar="ASSET", help="kind:name:version, or kind:name for a version that does not exist yet.")
    ],
    workspace: Annotated[
        str,
        completion.workspace("--workspace", "Where it is or will be registered: ARM id, or name of a tenant's."),
    ] = "",
    registry: Annotated[str, completion.registry("--registry", "The one that is meant, where there are several.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="name=value: as if it had these tags, and no others.")] = None,
    tenant: Annotated[str, completion.tenant("--tenant", "Of this tenant alone.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say why each tenant gets ASSET, or does not, by the rules in force; and what was decided about it before.

    Works before the asset exists, while it is on its way, and afterwards. What is not shared yet is named as in its workspace.

    \b
    fanout explain model:credit-card:3 --tenant tailwind
    fanout explain model:credit-card --workspace science --tag stage=production
    """
    with reaching("the tables"):
        fanout = connect()
        rules, rows, now = fanout.rules.current(), fanout.rows, fanout.clock.now()
        only = {tenant_in(tenant, rules).id} if tenant else None
        question = _question(asset, workspace, registry, tag, rules)
        try:
            known = find(question, rules, rows)
        except UnclearError as unclear:
            stop(INVALID, f"{unclear}.")
        answers = [explained(each.shared, rules, now, only, each.recall) for each in known]
        before = [decided_before(each, rows, only) for each in known]
    found = [Explained(*each, rules) for each in zip(known, answers, before, strict=True)]
    if as_json:
        print_json({"rules_revision": rules.revision, "explained": [document_of(each) for each in found]})
    else:
        for each in found:
            print_explained(each)


def _question(asset: str, workspace: str, registry: str, tags: Sequence[str] | None, rules: Rules) -> Question:
    kind, name, version = any_version_in(asset)
    if version == LATEST:
        stop(INVALID, f"{asset}: write the version, or leave it out for one that does not exist yet.")
    return Question(
        kind,
        name,
        version or ANY_VERSION,
        registry or None,
        workspace_in(workspace, lambda: rules) if workspace else None,
        dict(map(_tag, tags)) if tags else None,
    )


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        stop(INVALID, f"--tag {text!r}: write name=value.")
    return name, value
