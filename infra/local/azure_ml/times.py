"""Times as Azure ML writes them: UTC with seven digits after the point, which many date parsers do not expect."""

import time
from datetime import UTC, datetime


def now_iso(suffix: str = "+00:00") -> str:
    nanoseconds = time.time_ns()
    seconds = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{seconds}.{nanoseconds % 1_000_000_000 // 100:07d}{suffix}"


def system_data(principal: str, created: dict[str, str] | None = None) -> dict[str, str]:
    """`systemData` of a resource that `principal` writes now; `created` is the one it had before, if any."""
    now = now_iso()
    first = created or {"createdAt": now, "createdBy": principal, "createdByType": "Application"}
    return {
        "createdAt": first["createdAt"],
        "createdBy": first["createdBy"],
        "createdByType": first["createdByType"],
        "lastModifiedAt": now,
        "lastModifiedBy": principal,
        "lastModifiedByType": "Application",
    }
