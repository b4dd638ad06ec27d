"""What a push does in the tenant's workspace: it registers the asset there, or deploys it to an endpoint."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """Whose bytes a registered model or data asset stands for. Environments and components are definitions, and have none."""

    REFERENCE = "reference"  # the registry's
    COPY = "copy"  # the tenant's own, copied by the storage services


@dataclass(frozen=True, slots=True)
class Register:
    """Register the asset in the workspace."""

    mode: Mode = Mode.REFERENCE

    @property
    def route(self) -> str:
        return "register"


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a model that is no MLflow model is scored: by ids, of a registry (azureml://registries/…) or of the workspace.

    `environment` None: the one that the model's publication named, and that was shared with it.
    """

    code: str
    script: str
    environment: str | None = None


class AuthMode(StrEnum):
    """Who may call an online endpoint: whoever has its key, or a token of Azure ML's or of Entra's."""

    KEY = "key"
    AML_TOKEN = "aml_token"  # noqa: S105 # the name of a way to authenticate, no secret
    AAD_TOKEN = "aad_token"  # noqa: S105 # likewise


@dataclass(frozen=True, slots=True)
class OnlineEndpoint:
    """Deploy a model to a managed online endpoint. `traffic`: its share in per cent, step by step, the last one 100.

    `keep`: how many of our earlier deployments stay without traffic, for a quick way back. `adopt`: also onto an endpoint
    that the tenant made. `sample_request`: JSON that the new deployment must answer before it gets any traffic.
    """

    name: str
    instance_type: str
    instance_count: int
    traffic: tuple[int, ...]
    auth_mode: AuthMode = AuthMode.KEY
    keep: int = 1
    adopt: bool = False
    sample_request: str | None = None
    scoring: Scoring | None = None

    @property
    def route(self) -> str:
        return f"online_endpoint/{self.name.lower()}"  # Azure compares resource names without regard to case


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """Deploy a model to a batch endpoint, as its default deployment. `compute` is the name of one in the workspace."""

    name: str
    compute: str
    instance_count: int = 1
    keep: int = 1
    adopt: bool = False
    scoring: Scoring | None = None

    @property
    def route(self) -> str:
        return f"batch_endpoint/{self.name.lower()}"


type Endpoint = OnlineEndpoint | BatchEndpoint
type Action = Register | OnlineEndpoint | BatchEndpoint
"""What a push does in the workspace. Its `route` and the workspace make the target: one delivery of an asset each."""
