"""Why a deployment fails that Azure ML accepted: images, pulls, the endpoint's identity, the container itself.

Source: Azure ML's "troubleshoot online endpoints", whose codes and words these are; azure-docs#107890 (pull from a registry).
"""

from shared.azure.error_row import Row, codes, says
from shared.errors import Owner

FAILED = frozenset({200, 400, 403})  # 200: the operation failed later

DEPLOYMENTS = (
    Row(
        cause="the endpoint's identity may not read the registry",
        code="registry_pull_denied",
        owner=Owner.PROVIDER,
        remedy="assign AzureML Registry User on the registry to the endpoint's identity",
        status=FAILED,
        says=says("pull permission on the registry"),
    ),
    Row(
        cause="the image cannot be built: the container registry is private, and no compute is set that reaches it",
        code="network_isolated",
        owner=Owner.SUBSCRIBER,
        remedy="run az ml workspace update --image-build-compute with a compute cluster of the workspace's network",
        status=FAILED,
        says=says("failed to communicate with the workspace's container registry", "image build compute"),
    ),
    Row(
        cause="the workspace's container registry refuses",
        code="image_pull_denied",
        owner=Owner.SUBSCRIBER,
        remedy="assign AcrPull on the container registry to the endpoint's identity, then run az ml workspace sync-keys",
        status=FAILED,
        says=says(
            "container registry authorization",
            "acr ?pull",
            "unable to (download|pull) (the )?(user )?(container )?image",
            r"failed to pull image",
            "unauthorized: authentication required",
        ),
    ),
    Row(
        cause="the cluster cannot pull the image",
        code="image_pull_denied",
        owner=Owner.SUBSCRIBER,
        remedy="assign AcrPull on the workspace's container registry to the cluster's identity, and let its network reach it",
        codes=codes("ImagePullLoopBackOff", "ACRSecretError", "ACRAuthenticationChallengeFailed", "ACRTokenExchangeFailed"),
    ),
    Row(
        cause="the image is not ready in the time that a deployment has",
        code="image_build_failed",
        owner=Owner.PUBLISHER,
        remedy="register an environment whose image is built already, and name it for the model",
        status=FAILED,
        says=says("timeout while waiting for environment image", r"image build.{0,40}tim(ed|ing) ?out"),
    ),
    Row(
        cause="the environment's image cannot be built",
        code="image_build_failed",
        owner=Owner.PUBLISHER,
        remedy="mend the model's environment and register a new version",
        codes=codes("ImageBuildFailure"),
    ),
    Row(
        cause="the endpoint's identity may not read the workspace's storage or container registry",
        code="endpoint_forbidden",
        owner=Owner.SUBSCRIBER,
        remedy="assign AcrPull on the container registry, Storage Blob Data Reader on the storage, to the endpoint's identity",
        status=FAILED,
        says=says("task failed due to (an )?(authorization|incorrect role assignments)", "unable to download user model"),
    ),
    Row(
        cause="the endpoint's identity may not read a secret that the deployment names, or it is not there",
        code="secret_unreadable",
        owner=Owner.SUBSCRIBER,
        remedy="assign Key Vault Secrets User to the endpoint's identity, and correct the names of the secrets",
        codes=codes("SecretsInjectionError"),
    ),
    Row(
        cause="the container does not start, or does not become ready in time",
        code="not_ready",
        owner=Owner.PUBLISHER,
        remedy="read the deployment's logs (az ml online-deployment get-logs): its container does not start",
        codes=codes(
            "ResourceNotReady",
            "UserScriptInitFailed",
            "UserScriptImportError",
            "UserScriptFunctionNotFound",
            "DeploymentCrashLoopBackOff",
            "KubernetesCrashLoopBackOff",
        ),
    ),
    Row(
        cause="the Kubernetes cluster that the endpoint runs on is out of order",
        code="cluster_out_of_order",
        owner=Owner.SUBSCRIBER,
        remedy="mend the cluster or its Azure ML extension (az k8s-extension show) as Azure's text says",
        codes=codes(
            "TokenRefreshFailed",
            "GetAADTokenFailed",
            "KubernetesUnaccessible",
            "NamespaceNotFound",
            "ScoringFeUnhealthy",
            "ValidateScoringFailed",
            "InvalidDeploymentSpec",
            "PodUnschedulable",
            "PodOutOfMemory",
        ),
    ),
    Row(
        cause="Azure ML does not support it",
        code="not_supported",
        owner=Owner.SUBSCRIBER,
        remedy="change the action in the subscription to what Azure's text names as supported",
        codes=codes("NotSupported", "OperationNotSupported", "NotImplemented"),
    ),
    Row(
        cause="something that the deployment needs is not there: its storage, its container registry, its key vault",
        code="dependency_missing",
        owner=Owner.SUBSCRIBER,
        remedy="restore the resource that Azure names, or correct the workspace's reference to it (az ml workspace diagnose)",
        status=frozenset({200}),
        codes=codes("ResourceNotFound", "InvalidResourceReference", "LinkedInvalidPropertyId"),
    ),
)
