"""Azure's route templates, `orders/{id:int}/{*rest}`, as regular expressions that ignore case, as ASP.NET does."""

import re

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}")
_CONSTRAINTS = {
    None: r"[^/]+",
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"true|false",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "alpha": r"[A-Za-z]+",
}


def compile_route(prefix: str, template: str) -> re.Pattern[str]:
    """The pattern of a whole path. Raises ValueError for a segment or a constraint that is not served here."""
    segments = [segment for segment in f"{prefix}/{template}".split("/") if segment]
    return re.compile("".join(map(_segment_pattern, segments)) + "/?", re.IGNORECASE)


def specificity(template: str) -> tuple[int, int]:
    """Sorts templates so that a literal one wins over one with parameters, and that over a catch-all."""
    return template.count("{*"), template.count("{")


def _segment_pattern(segment: str) -> str:
    if "{" not in segment:
        return "/" + re.escape(segment)
    match = _PARAMETER.fullmatch(segment)
    if not match or match[3] not in _CONSTRAINTS:
        raise ValueError(f"the route segment {segment!r} is not served by this host")
    catch_all, name, constraint, optional = match.groups()
    if catch_all:
        return rf"(?:/(?P<{name}>.*))?"
    pattern = rf"/(?P<{name}>{_CONSTRAINTS[constraint]})"
    return f"(?:{pattern})?" if optional else pattern
