"""What the doctor finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    FAULT = "fault"  # something that the rules want fails, or will
    WARNING = "warning"  # nothing fails by it, but it is not as somebody thinks
    UNSEEN = "unseen"  # it could not be looked at: who asked may not, or Azure does not answer


@dataclass(frozen=True, slots=True)
class Finding:
    """`scope` is where: an ARM id, or an Azure subscription and region. `command` mends it, as it stands.

    `tenant` is whose rules want what is not so; None for what is nobody's alone, such as a registry.
    """

    code: str
    scope: str
    what: str
    why: str
    command: str
    severity: Severity = Severity.FAULT
    tenant: str | None = None


def worst(findings: Iterable[Finding]) -> Severity | None:
    """None where there is nothing to find. A fault is worse than what is unseen, since it is certain."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in (Severity.FAULT, Severity.UNSEEN, Severity.WARNING) if severity in found), None)
