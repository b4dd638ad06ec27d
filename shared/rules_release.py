"""What `release` of a subscription can be: at once, after an approval, or within a window."""

from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, InstanceOf, Tag

from shared import windows
from shared.durations import FORM, duration_in
from shared.rules_words import STRICT, refused
from shared.tenants import Approver, Window

IMMEDIATELY: Literal["immediately"] = "immediately"


def _duration(words: object) -> timedelta:
    remedy = f"{FORM}: so long the window stays open"
    if not isinstance(words, str):
        raise refused(f"{words!r} is no duration", remedy)
    try:
        duration = duration_in(words)
    except ValueError as wrong:
        raise refused(str(wrong), remedy) from wrong
    if not duration:
        raise refused(f"{words!r} is no time at all", remedy)
    return duration


def _cron(expression: str) -> str:
    try:
        windows.require_cron(expression)
    except ValueError as wrong:
        remedy = 'write minute, hour, day of the month, month and day of the week: "0 1 * * SUN" is each Sunday at 01:00'
        raise refused(f"{expression!r} is no cron expression: {wrong}", remedy) from wrong
    return expression


def _timezone(name: str) -> str:
    if name not in windows.timezones():
        similar = get_close_matches(name, windows.timezones(), n=1)
        remedy = "write a name of the IANA database, such as Europe/Berlin or UTC"
        raise refused(f"{name!r} is no timezone", f"did you mean {similar[0]!r}? Otherwise {remedy}" if similar else remedy)
    return name


class ApprovalShape(BaseModel):
    model_config = STRICT

    approval: Annotated[Approver, Field(strict=False)]


class WindowShape(BaseModel):
    model_config = STRICT

    window: Annotated[str, AfterValidator(_cron)]
    for_: Annotated[InstanceOf[timedelta], BeforeValidator(_duration), Field(alias="for")]
    timezone: Annotated[str, AfterValidator(_timezone)]

    def value(self) -> Window:
        return Window(self.window, self.for_, self.timezone)


def _form(release: object) -> str | None:
    """The tag, which in <> is no part of the value's path."""
    if isinstance(release, dict):
        return "<window>" if release.keys() & {"window", "for", "timezone"} else "<approval>"
    return "<text>" if isinstance(release, str) else None


type Release = Annotated[
    Annotated[Literal["immediately"], Tag("<text>")]
    | Annotated[ApprovalShape, Tag("<approval>")]
    | Annotated[WindowShape, Tag("<window>")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="must be a text or a mapping",
        custom_error_context={"remedy": "write immediately, {approval: provider} or {window: …, for: …, timezone: …}"},
    ),
]
