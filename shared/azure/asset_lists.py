"""Azure ML's lists of names and of versions, in workspaces and in registries alike.

The parameters are those of azure-rest-api-specs (machinelearningservices 2024-04-01): a page of names leads to the next by the
`$skip` of its `nextLink`; versions are sorted by `$orderBy`, and cut off at `$top`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.listings import Listed, Listing

ACTIVE = {"listViewType": "ActiveOnly"}


def page_of_names(page: str) -> dict[str, str]:
    return {**ACTIVE, **({"$skip": page} if page else {})}


def newest(most: int) -> dict[str, str]:
    return {**ACTIVE, "$orderBy": "createdtime desc", "$top": str(most)}


def listing(answer: Mapping[str, Any]) -> Listing:
    """KeyError where the answer makes no sense."""
    query = parse_qs(urlsplit(answer.get("nextLink") or "").query)
    return Listing(tuple(_listed(each) for each in answer["value"]), query.get("$skip", [""])[0])


def version_in(answer: Mapping[str, Any]) -> str:
    """A version's id ends with it; its name is the version in workspaces alone."""
    return str(answer["id"]).rpartition("/")[2]


def _listed(answer: Mapping[str, Any]) -> Listed:
    """Whether the time of the last change moves with a new version is written nowhere; the latest version does."""
    latest = (answer.get("properties") or {}).get("latestVersion") or ""
    changed = (answer.get("systemData") or {}).get("lastModifiedAt") or ""
    return Listed(str(answer["name"]), f"{latest} {changed}")
