"""The event subscriptions of the local cloud: one on each workspace's system topic, with a container for its dead letters."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from infra.local.azure_ml.config import Workspace as Configured
from infra.local.topology import QUEUES_ID, Workspace

MODEL_REGISTERED = "Microsoft.MachineLearningServices.ModelRegistered"
EVENTS_QUEUE = "events"


def name_of(workspace: Workspace) -> str:
    return f"{workspace.resource_group}-{workspace.name}"


def webhook(url: str) -> dict[str, str]:
    return {"endpointType": "WebHook", "endpointUrl": url}


def queue(connection: str) -> dict[str, str]:
    where = {"connectionString": connection, "queue": EVENTS_QUEUE, "resourceId": f"{QUEUES_ID}/{EVENTS_QUEUE}"}
    return {"endpointType": "ServiceBusQueue", **where}


def event_subscription(workspace: Workspace, destination: Mapping[str, str], schema: str, storage: str) -> dict[str, Any]:
    """`storage` is the connection string of the storage account."""
    return {
        "source": workspace.id,
        "includedEventTypes": [MODEL_REGISTERED],
        "eventDeliverySchema": schema,
        "destination": dict(destination),
        "deadLetterDestination": dead_letters(workspace, storage),
    }


def dead_letters(workspace: Workspace, storage: str) -> dict[str, str]:
    """In the workspace's own storage account; the container is made, as infrastructure as code does in Azure."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import ContainerClient

    known = Configured(id=workspace.id, location=workspace.location)  # as the local Azure ML names what belongs to it
    container = f"dead-letters-{known.guid}"
    with ContainerClient.from_connection_string(storage, container) as client, suppress(ResourceExistsError):
        client.create_container()
    where = {"connectionString": storage, "blobContainerName": container, "resourceId": known.storage_id}
    return {"endpointType": "StorageBlob", **where}
