"""What an Azure in memory works on: operations that take their time, and the failures that a test asks for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.azure_ml_ports import OperationState
from shared.ports import Clock


@dataclass
class FakeOperations:
    """Changes take `seconds`. `effects` names all that was accepted; `failing` is raised once by what it names."""

    clock: Clock
    seconds: float = 5.0
    operations: dict[str, datetime] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    failed_operations: dict[str, Exception] = field(default_factory=dict)

    def operation(self, address: str) -> OperationState:
        if self.operations[address] > self.clock.now():
            return OperationState.RUNNING
        if failure := self.failed_operations.get(address):
            raise failure
        return OperationState.SUCCEEDED

    def begin(self, effect: str) -> str:
        self.effects.append(effect)
        operation = f"operation-{len(self.operations)}"
        self.operations[operation] = self.clock.now() + timedelta(seconds=self.seconds)
        return operation

    def maybe_fail(self, what: str) -> None:
        if failure := self.failing.pop(what, None):
            raise failure
