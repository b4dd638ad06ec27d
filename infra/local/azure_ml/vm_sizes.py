"""The cores of the instance types that managed online endpoints offer, and how many of them a deployment takes of the quota.

From Azure's list of SKUs for managed online endpoints, and its rule for quota: 20 % more instances are set aside for
upgrades, except with the types of which nobody has that many.
"""

import math
import re


def _sizes(pattern: str, *cores: int) -> dict[str, int]:
    return {pattern.format(count): count for count in cores}


CORES: dict[str, int] = {
    "Standard_DS1_v2": 1,
    "Standard_DS2_v2": 2,
    "Standard_DS3_v2": 4,
    "Standard_DS4_v2": 8,
    "Standard_DS5_v2": 16,
    **_sizes("Standard_D{}s_v3", 2, 4, 8, 16, 32, 48, 64),
    **_sizes("Standard_D{}as_v4", 2, 4, 8, 16, 32, 48, 64, 96),
    **_sizes("Standard_D{}a_v4", 2, 4, 8, 16, 32, 48, 64, 96),
    **_sizes("Standard_E{}s_v3", 2, 4, 8, 16, 20, 32, 48, 64),
    **_sizes("Standard_F{}s_v2", 2, 4, 8, 16, 32, 48, 64, 72),
    **_sizes("Standard_FX{}mds", 4, 12, 24, 36, 48),
    **_sizes("Standard_L{}s_v2", 8, 16, 32, 48, 64, 80),
    **_sizes("Standard_NC{}s_v2", 6, 12, 24),
    **_sizes("Standard_NC{}s_v3", 6, 12, 24),
    **_sizes("Standard_NC{}as_T4_v3", 4, 8, 16, 64),
    **_sizes("Standard_NC{}ads_A100_v4", 24, 48, 96),
    "Standard_ND40rs_v2": 40,
    "Standard_ND96asr_v4": 96,
    "Standard_ND96amsr_A100_v4": 96,
}
WITHOUT_RESERVE = {name for name in CORES if "_A100_" in name} | {"Standard_ND40rs_v2", "Standard_ND96asr_v4"}
_TYPE = re.compile(r"Standard_(?P<series>[A-Z]+)\d+(?P<features>[a-z]*)(_(?P<version>\w+))?")
_BY_LOWER_CASE = {name.lower(): name for name in CORES}


def family(instance_type: str) -> str:
    """Whose quota its cores are of, as in `standardDSv2Family`; so are most named, and here all."""
    match = _TYPE.fullmatch(_BY_LOWER_CASE[instance_type.lower()])
    assert match
    version = (match["version"] or "").replace("_", "")
    return f"standard{match['series']}{match['features'].upper()}{version}Family"


def cores_needed(instance_type: str, instances: int) -> int | None:
    """What `instances` of this type take of the quota; None for a type that is not offered. Case does not matter."""
    name = _BY_LOWER_CASE.get(instance_type.lower())
    if name is None:
        return None
    # ceil(1.2 × instances), without the error that floating point makes at 5, 10, …
    reserved = instances if name in WITHOUT_RESERVE else math.ceil(instances * 12 / 10)
    return reserved * CORES[name]
