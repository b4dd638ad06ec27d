"""What a workspace makes of a new version that it is asked for: checked, named in full, its bytes where the service keeps them."""

import uuid

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.asset_definitions import InvalidAsset
from infra.local.azure_ml.asset_kinds import COMPONENT, DATA_ASSET, MODEL, AssetKind
from infra.local.azure_ml.asset_uris import datastore_uri, in_full
from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.component_references import in_workspace
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.state import Document


class WorkspaceIntake:
    def __init__(self, cloud: Cloud, kind: AssetKind) -> None:
        self._cloud = cloud
        self._kind = kind

    def definition(self, workspace: Workspace, caller: Caller, asked: Document, name: str, version: str) -> Document:
        """What was asked for as the service writes it, its references resolved. Raises AzureError 400, 403 or 404."""
        try:
            definition = self._kind.define(asked)
        except InvalidAsset as invalid:
            raise front_end_error(400, str(invalid), workspace.location) from invalid
        if self._kind is COMPONENT:
            spec = {**definition["componentSpec"], "name": name, "version": version}
            return {"componentSpec": in_workspace(self._cloud, workspace, caller, spec)}
        if self._kind is DATA_ASSET:
            return {**definition, "dataUri": in_full(definition["dataUri"], workspace)}
        place = self._place(definition)
        return self._at(place, definition, workspace) if self._kind.rewrites_uri and place else definition

    async def taken_over(self, definition: Document, workspace: Workspace) -> Document:
        """An upload is moved to a place of the service's own, as recorded; every other uri is kept as it was sent."""
        uri = self._kind.uri(definition)
        upload = self._cloud.uris.upload(uri, workspace) if uri and self._kind.moves_uploads else None
        if upload:
            kept = Folder(workspace.container, f"ServiceReplicated/{uuid.uuid4()}/{upload.path}".rstrip("/"))
            if await self._cloud.blobs.copy(upload, kept):
                return self._at(kept, definition, workspace)
        if self._kind.bytes_required and not await self._has_bytes(definition, workspace):
            raise front_end_error(400, f"No files of this workspace's storage found at {uri}", workspace.location)
        return definition

    def _place(self, definition: Document) -> Folder | None:
        uri = self._kind.uri(definition)
        return self._cloud.uris.locate(uri) if uri else None

    def _at(self, place: Folder, definition: Document, workspace: Workspace) -> Document:
        """The definition with its bytes there, in the service's own writing. A uri of a folder keeps its slash."""
        uri = f"{self._cloud.base_url}{place.container}/{place.path}"
        if self._kind is MODEL:
            uri = datastore_uri(workspace, place.path)
        slash = "/" if str(self._kind.uri(definition)).endswith("/") else ""
        return self._kind.with_uri(definition, uri + slash)

    async def _has_bytes(self, definition: Document, workspace: Workspace) -> bool:
        place = self._place(definition)
        if place is None or place.container != workspace.container:
            return False
        return bool(await self._cloud.blobs.names(place))
