"""What the checks of rules find."""

from dataclasses import dataclass

from shared.marked_yaml import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where in which file, and what to do about it.

    A warning does not stand against the rules: what is missing may come with another tenant's.
    """

    file: str
    path: Path
    what: str
    remedy: str
    is_warning: bool = False
