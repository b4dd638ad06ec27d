"""The one composition root. Nothing is made at import; each dependency is made on first use, once, and kept."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from shared import settings
from shared.clock import CorrectedClock

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient

    from shared.azure.arm import ArmClient
    from shared.azure.ledger import Ledger
    from shared.azure.open_work import OpenWorkTable
    from shared.azure.registries import AzureRegistries
    from shared.azure.rules_table import RulesTable
    from shared.azure.service_bus import ServiceBusQueues
    from shared.azure.workspaces import AzureWorkspaces
    from shared.rules_cache import RulesCache

PUBLIC_RESOURCE_MANAGER = "https://management.azure.com"
PUBLIC_REGISTRY_DISCOVERY = "https://eastus.api.azureml.ms"  # azure.ai.ml._azure_environments, AzureCloud
PUBLIC_ML_RESOURCE = "https://ml.azure.com"

_making = threading.RLock()


class once[T]:  # noqa: N801 - used as a decorator, like cached_property, which threads may run twice
    """A property made on first use, by one thread."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        with _making:
            if self._name not in instance.__dict__:
                instance.__dict__[self._name] = self._make(instance)
        return cast(T, instance.__dict__[self._name])


class AzureFanout:
    """`shared.ports.Fanout`, on Azure."""

    def __init__(self) -> None:
        self.clock = CorrectedClock()

    @once
    def overdue_after(self) -> timedelta:
        return settings.overdue_after()

    @once
    def queues(self) -> "ServiceBusQueues":
        from azure.servicebus import ServiceBusClient

        from shared.azure.service_bus import ServiceBusQueues

        bus = settings.service_bus()
        if bus.connection_string:
            return ServiceBusQueues(ServiceBusClient.from_connection_string(bus.connection_string))
        return ServiceBusQueues(ServiceBusClient(bus.address or "", self.credential))

    @once
    def rows(self) -> "Ledger":
        from shared.azure.ledger import Ledger

        return Ledger(self.tables)

    @once
    def open_work(self) -> "OpenWorkTable":
        from shared.azure.open_work import OpenWorkTable

        return OpenWorkTable(self.tables, self.rows)

    @once
    def rules(self) -> "RulesCache":
        from shared.rules_cache import RulesCache

        return RulesCache(self.rules_table)

    @once
    def rules_table(self) -> "RulesTable":
        from shared.azure.rules_table import RulesTable

        return RulesTable(self.tables.get_table_client("tenants"), self.clock.now)

    def create_tables(self) -> None:
        """For a storage account that has none yet; infrastructure as code does the same."""
        from shared.azure.tables import create_tables

        create_tables(self.tables)

    @once
    def registries(self) -> "AzureRegistries":
        from shared.azure.arm import ArmClient
        from shared.azure.registries import AzureRegistries

        cloud = settings.azure_cloud()
        discovery = cloud.registry_discovery if cloud else PUBLIC_REGISTRY_DISCOVERY
        audience = cloud.metadata["aml_resource_id"] if cloud else PUBLIC_ML_RESOURCE
        ml = ArmClient(self.credential, f"{audience.rstrip('/')}/.default")
        return AzureRegistries(self.arm, ml, self._resource_manager, discovery)

    @once
    def workspaces(self) -> "AzureWorkspaces":
        from shared.azure.workspaces import AzureWorkspaces

        cloud = settings.azure_cloud()
        arguments = {"cloud": cloud.name, "cloud_metadata": cloud.metadata} if cloud else {}
        return AzureWorkspaces(self.credential, self.arm, arguments)

    @once
    def arm(self) -> "ArmClient":
        from shared.azure.arm import ArmClient

        return ArmClient(self.credential, f"{self._resource_manager}/.default")

    @once
    def tables(self) -> "TableServiceClient":
        from shared.azure.tables import open_tables

        tables = settings.tables()
        return open_tables(tables.connection_string, tables.address, lambda: self.credential, self.clock)

    @once
    def credential(self) -> "TokenCredential":
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    @property
    def _resource_manager(self) -> str:
        cloud = settings.azure_cloud()
        return cloud.resource_manager if cloud else PUBLIC_RESOURCE_MANAGER


@cache
def fanout() -> AzureFanout:
    """What the handlers use, by the settings of this process."""
    return AzureFanout()
