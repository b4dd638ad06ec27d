"""`shared.ports.Copies`, on Azure."""

from collections.abc import Callable

from azure.core.credentials import TokenCredential

from shared.azure.arm import Caller
from shared.azure.blob_copies import BlobCopies
from shared.azure.storage_places import StoragePlaces


class AzureCopies(StoragePlaces, BlobCopies):
    """Finds the places as `arm`, and copies between them as `credential` where a place has no SAS of its own."""

    def __init__(
        self, arm: Caller, resource_manager: str, registry_address: Callable[[str], str], credential: TokenCredential
    ) -> None:
        StoragePlaces.__init__(self, arm, resource_manager, registry_address)
        BlobCopies.__init__(self, credential)
