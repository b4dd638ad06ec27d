"""The server put together: state, routes and what runs beside them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from aiohttp import web

from infra.local.azure_ml.asset_kinds import KINDS
from infra.local.azure_ml.asset_uris import AssetUris
from infra.local.azure_ml.assets import Assets
from infra.local.azure_ml.blob_proxy import BlobProxy
from infra.local.azure_ml.blob_tokens import BlobTokens
from infra.local.azure_ml.blobs import Blobs
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import CloudConfig
from infra.local.azure_ml.endpoint_parts import EndpointParts
from infra.local.azure_ml.errors import error_middleware
from infra.local.azure_ml.events import Outbox
from infra.local.azure_ml.guard import Guard
from infra.local.azure_ml.identity import Identity
from infra.local.azure_ml.imports import Imports
from infra.local.azure_ml.inspection import Inspection
from infra.local.azure_ml.operations import Operations
from infra.local.azure_ml.pending_uploads import PendingUploads
from infra.local.azure_ml.registries import Registries
from infra.local.azure_ml.registry_assets import RegistryAssets
from infra.local.azure_ml.registry_changes import RegistryChanges
from infra.local.azure_ml.state import State
from infra.local.azure_ml.workspace_assets import WorkspaceAssets
from infra.local.azure_ml.workspaces import Workspaces
from infra.local.control import Control
from infra.local.resource_manager.event_topics import EventTopics
from infra.local.resource_manager.policies import Policies
from infra.local.resource_manager.roles import Roles
from infra.local.resource_manager.storage_accounts import StorageAccounts
from infra.local.resource_manager.subscriptions import Subscriptions
from infra.local.resource_manager.surroundings import Around

LARGEST_JSON = 64 * 1024**2


class Routed(Protocol):
    def routes(self) -> list[web.RouteDef]: ...


def build(
    config: CloudConfig, state: State, identity: Identity, base_url: str, blob_endpoint: str, event_grid: str | None, folder: Path
) -> web.Application:
    """The application; `folder` is where models and code are brought to for scoring."""
    assets, control = Assets(state), Control()
    uris = AssetUris(config, assets)
    blobs, outbox, around = Blobs(blob_endpoint), Outbox(state, event_grid), Around(config.surroundings)
    cloud = Cloud(config, state, assets, uris, Operations(state), blobs, outbox, around, base_url)
    proxy, endpoints = BlobProxy(blobs, base_url, BlobTokens(config, identity, blobs)), EndpointParts(cloud, identity, folder)
    registry_changes, workspaces, topics = RegistryChanges(cloud), Workspaces(cloud), EventTopics(cloud, event_grid)
    application = web.Application(
        middlewares=[control.middleware, error_middleware, Guard(config, around, identity).middleware],
        client_max_size=LARGEST_JSON,
    )
    parts: list[Routed] = [
        control,
        Inspection(cloud, endpoints.summary),
        identity,
        workspaces,
        PendingUploads(cloud),
        *(WorkspaceAssets(cloud, kind) for kind in KINDS.values()),
        *(RegistryAssets(cloud, kind, registry_changes) for kind in KINDS.values()),
        Registries(cloud, registry_changes),
        Imports(cloud, registry_changes),
        *endpoints.routed,
        Subscriptions(cloud, workspaces),
        Roles(cloud),
        StorageAccounts(cloud),
        Policies(cloud),
        topics,
        proxy,
    ]
    for part in parts:
        application.add_routes(part.routes())

    async def run_beside(_application: web.Application) -> AsyncIterator[None]:
        cloud.operations.resume()
        posting = asyncio.create_task(cloud.outbox.run())
        yield
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        await cloud.operations.stop()
        await endpoints.close()
        await proxy.close()
        await topics.close()
        await cloud.blobs.close()
        state.close()

    application.cleanup_ctx.append(run_beside)
    return application
