"""The one composition root. Nothing is made at import; each dependency is made on first use, once, and kept."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from shared import settings
from shared.clock import CorrectedClock
from shared.outcomes import NoOutcomes

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient
    from azure.servicebus import ServiceBusClient

    from shared.azure.answers import NoteAnswers
    from shared.azure.arm import ArmClient
    from shared.azure.copies import AzureCopies
    from shared.azure.endpoints import AzureEndpoints
    from shared.azure.history import HistoryTables
    from shared.azure.kept_messages import ServiceBusKeptMessages
    from shared.azure.ledger import Ledger
    from shared.azure.ml_clients import MlClients
    from shared.azure.open_work import OpenWorkTable
    from shared.azure.outcomes import EventGridOutcomes
    from shared.azure.reconcile_rows import ReconcileTable
    from shared.azure.registries import AzureRegistries
    from shared.azure.rules_table import RulesTable
    from shared.azure.service_bus import ServiceBusQueues
    from shared.azure.surroundings import AzureSurroundings
    from shared.azure.workspaces import AzureWorkspaces
    from shared.budgets import Budget
    from shared.fairness import WorkspaceFairness
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
    """`shared.ports.Fanout`, on Azure. An `impatient` one is for people: they learn within 20 seconds what does not answer."""

    def __init__(self, *, impatient: bool = False) -> None:
        self.clock = CorrectedClock()
        self._impatient = impatient

    @once
    def overdue_after(self) -> timedelta:
        return settings.overdue_after()

    @once
    def queues(self) -> "ServiceBusQueues":
        from shared.azure.service_bus import ServiceBusQueues

        return ServiceBusQueues(self.service_bus)

    @once
    def kept_messages(self) -> "ServiceBusKeptMessages":
        from shared.azure.kept_messages import ServiceBusKeptMessages

        return ServiceBusKeptMessages(self.service_bus)

    @once
    def service_bus(self) -> "ServiceBusClient":
        from shared.azure.service_bus import open_service_bus

        bus = settings.service_bus()
        return open_service_bus(bus.connection_string, bus.address, lambda: self.credential, impatient=self._impatient)

    @once
    def rows(self) -> "Ledger":
        from shared.azure.ledger import Ledger

        return Ledger(self.tables)

    @once
    def open_work(self) -> "OpenWorkTable":
        from shared.azure.open_work import OpenWorkTable

        return OpenWorkTable(self.tables, self.rows)

    @once
    def history(self) -> "HistoryTables":
        from shared.azure.history import HistoryTables

        return HistoryTables(self.tables, self.rows)

    @once
    def reconciling(self) -> "ReconcileTable":
        from shared.azure.reconcile_rows import ReconcileTable

        return ReconcileTable(self.tables)

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
        ml = ArmClient(self.credential, self._ml_scope)
        return AzureRegistries(self.arm, ml, self._resource_manager, discovery)

    @once
    def workspaces(self) -> "AzureWorkspaces":
        from shared.azure.workspaces import AzureWorkspaces

        return AzureWorkspaces(self.ml_clients, self.arm, self._resource_manager)

    @once
    def endpoints(self) -> "AzureEndpoints":
        from shared.azure.endpoints import AzureEndpoints
        from shared.azure.smoke_tests import SmokeTests

        smoke_tests = SmokeTests(self.arm, self.credential, self._ml_scope)
        return AzureEndpoints(self.ml_clients, self.arm, self._resource_manager, smoke_tests)

    @once
    def copies(self) -> "AzureCopies":
        from shared.azure.copies import AzureCopies

        return AzureCopies(self.arm, self._resource_manager, self.registries.address, self.credential)

    @once
    def surroundings(self) -> "AzureSurroundings":
        from shared.azure.patience import PatientCaller
        from shared.azure.surroundings import AzureSurroundings

        return AzureSurroundings(PatientCaller(self.arm), self._resource_manager, self.registries.address, self.credential)

    @once
    def ml_clients(self) -> "MlClients":
        from shared.azure.ml_clients import MlClients

        cloud = settings.azure_cloud()
        arguments = {"cloud": cloud.name, "cloud_metadata": cloud.metadata} if cloud else {}
        return MlClients(self.credential, arguments, self.note_answers)

    @once
    def outcomes(self) -> "EventGridOutcomes | NoOutcomes":
        chosen = settings.outcomes()
        if chosen is None:
            return NoOutcomes()
        from azure.core.credentials import AzureKeyCredential

        from shared.azure.outcomes import EventGridOutcomes

        credential = AzureKeyCredential(chosen.key) if chosen.key else self.credential
        return EventGridOutcomes(chosen.endpoint, credential, is_domain=chosen.is_domain)

    @once
    def arm(self) -> "ArmClient":
        from shared.azure.arm import ArmClient

        return ArmClient(self.credential, f"{self._resource_manager}/.default", self.note_answers)

    @once
    def fairness(self) -> "WorkspaceFairness":
        from shared.azure.circuits import CircuitTable
        from shared.circuits import Circuits
        from shared.fairness import Bulkhead, WorkspaceFairness, places

        circuits = Circuits(CircuitTable(self.tables), self.clock.now)
        return WorkspaceFairness(Bulkhead(places(settings.threads())), circuits, self.budget)

    @once
    def budget(self) -> "Budget":
        from shared.budgets import Budget

        return Budget()

    @once
    def note_answers(self) -> "NoteAnswers":
        from shared.azure.answers import NoteAnswers

        return NoteAnswers(self.budget)

    @once
    def tables(self) -> "TableServiceClient":
        from shared.azure.tables import open_tables

        tables = settings.tables()
        return open_tables(tables.connection_string, tables.address, lambda: self.credential, self.clock, impatient=self._impatient)

    @once
    def credential(self) -> "TokenCredential":
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    @property
    def _ml_scope(self) -> str:
        """Of the tokens that Azure ML itself takes, for the discovery of registries and for endpoints in mode `aad_token`."""
        cloud = settings.azure_cloud()
        audience = cloud.metadata["aml_resource_id"] if cloud else PUBLIC_ML_RESOURCE
        return f"{audience.rstrip('/')}/.default"

    @property
    def _resource_manager(self) -> str:
        cloud = settings.azure_cloud()
        return cloud.resource_manager if cloud else PUBLIC_RESOURCE_MANAGER


@cache
def fanout(*, impatient: bool = False) -> AzureFanout:
    """What the handlers use, by the settings of this process; an impatient one is what the command line uses."""
    return AzureFanout(impatient=impatient)
