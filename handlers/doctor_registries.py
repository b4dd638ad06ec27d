"""The doctor at a registry."""

from collections.abc import Iterator

from handlers.doctor_concerns import Concern, look_at
from handlers.doctor_looks import Looks
from shared.doctor.findings import Finding
from shared.doctor.needs import RegistryNeeds
from shared.doctor.operations import READER, REGISTRY_READS, REGISTRY_USER, REGISTRY_WRITES, Access
from shared.doctor.regions import check_registry_regions
from shared.doctor.seen import Registry
from shared.doctor.unseen import registry_unreachable
from shared.errors import Permanent, Transient


def examine_registry(needs: RegistryNeeds, looks: Looks) -> Iterator[Finding]:
    try:
        registry = looks.registry(needs.name)
    except (Permanent, Transient) as error:
        yield registry_unreachable(needs, error)
        return
    yield from check_registry_regions(needs, registry)
    access = _access(needs, registry)
    yield from look_at([Concern("the roles of the app's identity", registry.arm_id, lambda: looks.access(access))])


def _access(needs: RegistryNeeds, registry: Registry) -> Access:
    if needs.published_to:
        return Access(registry.arm_id, REGISTRY_USER, "nothing can be shared into the registry", REGISTRY_WRITES)
    return Access(registry.arm_id, READER, "nothing can be delivered from the registry", REGISTRY_READS)
