"""What Fanout writes onto all that it makes, so that anyone can tell where it came from: names of tags and properties.

What a tenant set itself, such as what a model was fine-tuned from, is carried along and never changed.
"""

from collections.abc import Mapping

from shared.assets import registry_path
from shared.rows import Address, DeliveryRow, RowKind, ShareRow

DELIVERY = "fanout_delivery"
SHARE = "fanout_share"
ORIGIN = "fanout_origin"  # the id of what it was in the workspace that it comes from, with name and version
REGISTRY_ID = "fanout_registry_id"
CHECKSUM = "fanout_checksum"  # of copied bytes: see shared.copies
NAMES = frozenset({DELIVERY, SHARE, ORIGIN, REGISTRY_ID, CHECKSUM})


def of_share(row: ShareRow, source_id: str) -> dict[str, str]:
    return {SHARE: str(row.address), ORIGIN: source_id, REGISTRY_ID: registry_path(row.registry, row.asset)}


def of_delivery(row: DeliveryRow) -> dict[str, str]:
    """An asset that was shared bears its origin in its tags, which came along."""
    return {DELIVERY: str(row.address), SHARE: str(row.share), REGISTRY_ID: registry_path(row.registry, row.asset)}


def delivery_in(properties: Mapping[str, str]) -> Address | None:
    """The delivery whose mark they are; None where it is none, or makes no sense: a tenant can write anything there."""
    match properties.get(DELIVERY, "").split("/"):
        case [RowKind.DELIVERY, partition, row] if partition.isalnum() and row.isalnum():
            return Address(RowKind.DELIVERY, partition, row)
    return None
