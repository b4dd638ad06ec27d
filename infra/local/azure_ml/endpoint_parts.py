"""Endpoints and deployments, online and batch, wired together: they share names, limits and the form of their operations."""

from pathlib import Path

from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.computes import Computes
from infra.local.azure_ml.containers import Containers
from infra.local.azure_ml.deployment_rules import BatchDeploymentRules, OnlineDeploymentRules
from infra.local.azure_ml.deployments import Deployments
from infra.local.azure_ml.endpoint_checks import RegionLimits
from infra.local.azure_ml.endpoint_keys import EndpointKeys
from infra.local.azure_ml.endpoint_operations import EndpointOperations
from infra.local.azure_ml.endpoint_rules import BatchEndpointRules, OnlineEndpointRules
from infra.local.azure_ml.endpoint_store import BATCH, ONLINE, EndpointStore
from infra.local.azure_ml.endpoint_summary import EndpointSummary
from infra.local.azure_ml.endpoints import Endpoints
from infra.local.azure_ml.identity import Identity
from infra.local.azure_ml.operation_routes import OperationRoutes
from infra.local.azure_ml.scoring import Scoring
from infra.local.azure_ml.scoring_pool import ScoringPool
from infra.local.resource_manager.quotas import Quotas


class EndpointParts:
    """`routed` is what has routes; `summary` is what `/_control/state` shows; `close` ends the workers."""

    def __init__(self, cloud: Cloud, identity: Identity, folder: Path) -> None:
        """`folder` is where models and code are brought to for scoring."""
        online, batch = (EndpointStore(cloud.config, cloud.state, kind) for kind in (ONLINE, BATCH))
        limits = RegionLimits(cloud.config, cloud.around, (online, batch))
        containers = Containers(cloud, ScoringPool(cloud.blobs, folder / "scoring"))
        scoring = Scoring(online, identity, containers)
        online_work, batch_work = EndpointOperations(cloud, online, containers.start), EndpointOperations(cloud, batch)
        self.routed = (
            Endpoints(cloud, online, limits, online_work, OnlineEndpointRules()),
            EndpointKeys(cloud, online, online_work, identity),
            Deployments(cloud, online, limits, online_work, OnlineDeploymentRules(cloud)),
            Endpoints(cloud, batch, limits, batch_work, BatchEndpointRules()),
            Deployments(cloud, batch, limits, batch_work, BatchDeploymentRules(cloud)),
            Computes(cloud),
            OperationRoutes(cloud),
            Quotas(cloud, limits),
            scoring,
        )
        self.summary = EndpointSummary(online, batch, scoring)
        self.close = containers.close
