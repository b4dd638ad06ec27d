"""Whether the app's identity may do what the rules need: by what its roles allow, whatever they are called.

As Azure adds them up (`role-based-access-control/role-definitions.md`): each role grants what its actions match and its notActions
do not; what one role leaves out another can grant.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from shared.doctor.findings import Finding, Severity
from shared.doctor.mending import assign_role, az, name_of
from shared.doctor.operations import Access
from shared.doctor.seen import Permission, RoleAssignment, is_within

MOST_NAMED = 3  # of missing operations


def reaches(assignment: RoleAssignment, scope: str) -> bool:
    """Whether it was made there or above: roles are inherited. A management group's is listed for what is below it only."""
    return is_within(assignment.scope, "/providers/Microsoft.Management") or is_within(scope, assignment.scope)


def check_access(
    access: Access, granted: Sequence[Permission], principal: str, conditional: Sequence[Permission] = ()
) -> Iterator[Finding]:
    """`granted` is what all roles of the identity allow there, `conditional` what others do whose assignments have a condition."""
    missing = sorted(_missing(access, [*granted, *conditional]))
    doubtful = sorted(_missing(access, granted))
    if missing:
        yield Finding(
            code="role_missing",
            scope=access.scope,
            what=f"the app's identity may not {_some(missing)} on {name_of(access.scope)}",
            why=access.why,
            command=assign_role(principal, access.role, access.scope),
        )
    elif doubtful:
        yield Finding(
            code="role_conditional",
            scope=access.scope,
            what=f"the app's identity may {_some(doubtful)} on {name_of(access.scope)} only by a role that has a condition",
            why=f"whether the condition lets it, Azure alone tells: {access.why}",
            command=az("role assignment list", "--include-inherited", assignee=principal, scope=access.scope, query="[?condition]"),
            severity=Severity.WARNING,
        )


def _some(operations: Sequence[str]) -> str:
    more = f" and {len(operations) - MOST_NAMED} more" if len(operations) > MOST_NAMED else ""
    return f"{', '.join(operations[:MOST_NAMED])}{more}"


def _missing(access: Access, granted: Sequence[Permission]) -> Iterator[str]:
    for wanted in access.actions:
        if not any(_allows(wanted, each.actions, each.not_actions) for each in granted):
            yield wanted
    for wanted in access.data_actions:
        if not any(_allows(wanted, each.data_actions, each.not_data_actions) for each in granted):
            yield wanted


def _allows(wanted: str, patterns: Iterable[str], excepted: Iterable[str]) -> bool:
    return _fits_any(wanted, patterns) and not _fits_any(wanted, excepted)


def _fits_any(wanted: str, patterns: Iterable[str]) -> bool:
    return any(_compiled(pattern).fullmatch(wanted) for pattern in patterns)


@lru_cache(1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.IGNORECASE)
