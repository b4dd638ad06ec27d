"""Opens the namespace that a connection names, without the SDK's own retries: the listeners reconnect by themselves."""

from azure.servicebus.aio import ServiceBusClient

from infra.local.functions_host.errors import HostError
from infra.local.functions_host.settings import Connection, ConnectionString


def open_namespace(connection: Connection, function: str) -> ServiceBusClient:
    """Raises HostError for a connection string that the SDK does not take. Connects to nothing yet."""
    if isinstance(connection, ConnectionString):
        try:
            return ServiceBusClient.from_connection_string(connection.value, retry_total=0)
        except ValueError as malformed:
            raise HostError(f"function {function}: its connection string is not valid: {malformed}") from None
    # imported here as it takes half a second, which hosts with a connection string need not wait for
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

    credential = (
        ManagedIdentityCredential(client_id=connection.client_id)
        if connection.managed
        else DefaultAzureCredential(managed_identity_client_id=connection.client_id)
    )
    return ServiceBusClient(connection.fully_qualified_namespace, credential, retry_total=0)
