"""The commands that mend, as somebody can paste them into a shell: of the Azure CLI, and of our own."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shell:
    """A word that the shell is to work out, such as what another command prints."""

    text: str


type Word = str | Shell

_SPECIAL = set('"$`\\!')  # within double quotes


def az(command: str, *flags: str, **options: Word) -> str:
    """`az("storage account show", name="x")` is `az storage account show --name x`."""
    words = [f"--{name.replace('_', '-')} {_written(value)}" for name, value in options.items()]
    return " ".join(["az", command, *words, *flags])


def assign_role(principal: Word, role: str, scope: Word) -> str:
    return az(
        "role assignment create",
        assignee_object_id=principal,
        assignee_principal_type="ServicePrincipal",
        role=role,
        scope=scope,
    )


def deploy(group: Mapping[str, str], template: str, **parameters: Word) -> str:
    """A template of infra/azure/tenant, into a resource group as `place_of` says it."""
    given = " ".join(
        f"{name}={word.text}" if isinstance(word, Shell) else shlex.quote(f"{name}={word}") for name, word in parameters.items()
    )
    return az("deployment group create", f"--parameters {given}", **group, template_file=f"infra/azure/tenant/{template}.bicep")


def change_rules(file: str, change: str) -> str:
    return f"fanout export rules  # {change} in {file}, then: fanout apply rules"


def place_of(arm_id: str) -> dict[str, str]:
    """The options that say where a resource is."""
    return {"subscription": subscription_of(arm_id), "resource_group": group_of(arm_id)}


def part_of(arm_id: str, after: str) -> str:
    """The part of an ARM id that follows a type: `part_of(id, "resourceGroups")`; empty where there is none."""
    parts = arm_id.split("/")
    places = [place for place, part in enumerate(parts[:-1]) if part.lower() == after.lower()]
    return parts[places[-1] + 1] if places else ""


def group_of(arm_id: str) -> str:
    return part_of(arm_id, "resourceGroups")


def name_of(arm_id: str) -> str:
    return arm_id.rstrip("/").rpartition("/")[2]


def subscription_of(arm_id: str) -> str:
    return part_of(arm_id, "subscriptions")


def _written(word: Word) -> str:
    """Single quotes within double ones are read more easily than shlex's way to quote them."""
    if isinstance(word, Shell):
        return word.text
    return f'"{word}"' if "'" in word and not set(word) & _SPECIAL else shlex.quote(word)
