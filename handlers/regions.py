"""Whether a registry stays within the regions that a publication allows: asked before anything is shared there."""

from collections.abc import Sequence

from shared.errors import Owner, Permanent
from shared.ports import Fanout
from shared.tenants import Publication


def stays_within_regions(publication: Publication, fanout: Fanout) -> bool:
    """Whether its registry replicates to no region that the publication forbids."""
    return not (publication.regions and _forbidden(publication, fanout))


def within_regions(publications: Sequence[Publication], fanout: Fanout) -> list[Publication]:
    """Those that do not forbid a region that their registry replicates to. Permanent `region_forbidden` where all do."""
    allowed = [publication for publication in publications if stays_within_regions(publication, fanout)]
    if not allowed:
        publication = publications[0]
        regions = ", ".join(_forbidden(publication, fanout))
        text = f"registry {publication.registry} replicates to {regions}, beyond what publication {publication.name} allows"
        raise Permanent(
            "region_forbidden", text, Owner.PUBLISHER, "allow the region in the publication, or choose another registry"
        )
    return allowed


def _forbidden(publication: Publication, fanout: Fanout) -> list[str]:
    return publication.forbidden(fanout.registries.regions(publication.registry))
