"""What a command's handler knows of the message that brought it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """`id` is the message's, the same for all its delayed copies, "" where there was none; `attempt` counts these, from 1.

    `by_event`: nobody asked, but a model was registered, the reconciler found something, or another asset needs this one.
    """

    id: str = ""
    attempt: int = 1
    correlation_id: str | None = None
    by_event: bool = False
