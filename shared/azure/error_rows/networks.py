"""Networks that keep the app, or Azure's own services, out; and storage accounts that refuse.

Sources: Storage's "common REST API error codes" and "SAS error codes", Azure ML's "registry network isolation" and "troubleshoot
online endpoints", azure-cli-extensions#6294 (a private link).
"""

from shared.azure.error_row import Place, Row, Verdict, codes, says
from shared.errors import Owner

REFUSED = frozenset({401, 403})
ACCEPTED_FIRST = frozenset({200, 400})  # 200: by the operation that had been accepted

ISOLATED = says(
    "designated private link",
    "public (network )?access is (disabled|not (allowed|permitted))",
    "publicNetworkAccess",
    "blocked by .{0,40}(firewall|network rules)",
    r"not authorized to perform this operation\.",
)
STORAGE_IS_ISOLATED = codes(
    "AuthorizationFailure", "AuthorizationSourceIPMismatch", "PublicAccessNotPermitted", "NetworkAclsValidationFailure"
)
LET_THE_REGISTRY_IN = "add Microsoft.MachineLearningServices/registries as a resource instance to the networking of the storage"

NETWORKS = (
    Row(
        cause="a workspace or registry behind a private endpoint does not let the app in",
        code="network_isolated",
        owner=Owner.PROVIDER,
        remedy="give the app's network a private endpoint to what Azure names, or allow public network access to it",
        status=REFUSED,
        says=ISOLATED,
        at=frozenset({Place.WORKSPACE, Place.REGISTRY, Place.SHARE}),
    ),
    Row(
        cause="the publisher's storage does not let the registry in",
        code="network_isolated",
        owner=Owner.PUBLISHER,
        remedy=LET_THE_REGISTRY_IN,
        codes=STORAGE_IS_ISOLATED,
        at=frozenset({Place.SHARE}),
    ),
    Row(
        cause="the publisher's workspace or storage does not let the registry in, said in words",
        code="network_isolated",
        owner=Owner.PUBLISHER,
        remedy=LET_THE_REGISTRY_IN,
        status=ACCEPTED_FIRST,
        says=ISOLATED,
        at=frozenset({Place.SHARE}),
    ),
    Row(
        cause="the subscriber's storage does not let the app in",
        code="network_isolated",
        owner=Owner.SUBSCRIBER,
        remedy="allow the app's network, or trusted Azure services, in the networking of the workspace's storage",
        codes=STORAGE_IS_ISOLATED,
    ),
    Row(
        cause="what the subscriber's workspace uses is behind a private endpoint that the deployment does not reach",
        code="network_isolated",
        owner=Owner.SUBSCRIBER,
        remedy="give the workspace's managed network an outbound rule to the resource that Azure names, or set image-build-compute",
        status=ACCEPTED_FIRST,
        says=ISOLATED,
    ),
    Row(
        cause="the workspace's managed network does not exist yet",
        code="network_not_ready",
        owner=Owner.SUBSCRIBER,
        remedy="run az ml workspace provision-network on the workspace",
        codes=codes("WorkspaceManagedNetworkNotReady"),
    ),
    Row(
        cause="an MLflow model on an endpoint with the legacy network isolation",
        code="network_isolated",
        owner=Owner.SUBSCRIBER,
        remedy="give the workspace a managed virtual network in place of egress_public_network_access: disabled",
        says=says("mlflow.{0,80}private network", "private network.{0,80}mlflow"),
    ),
)

STORAGE = (
    Row(
        cause="the publisher's storage takes no account keys, and the datastore uses one",
        code="key_access_disabled",
        owner=Owner.PUBLISHER,
        remedy="set the datastores to identity-based access, and assign Storage Blob Data Reader to the workspace's identity",
        codes=codes("KeyBasedAuthenticationNotPermitted"),
        at=frozenset({Place.SHARE}),
    ),
    Row(
        cause="the subscriber's storage takes no account keys",
        code="key_access_disabled",
        owner=Owner.SUBSCRIBER,
        remedy="assign Storage Blob Data Contributor on the container to the app's identity, or set allowSharedKeyAccess",
        codes=codes("KeyBasedAuthenticationNotPermitted"),
    ),
    Row(
        cause="a SAS expired on the way: the next attempt asks for a new one",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="set the clock of the machine that the app runs on",
        status=REFUSED,
        says=says("signature not valid in the specified time frame", "signed expiry time .{0,80} must be after"),
    ),
    Row(
        cause="the destination's storage cannot read the source of a copy",
        code="copy_source_unreadable",
        owner=Owner.PROVIDER,
        remedy="allow the destination's storage in the networking of the registry's storage, or deliver by reference",
        status=REFUSED | {400, 409},
        codes=codes("CannotVerifyCopySource", "CopyAcrossAccountsNotSupported"),
    ),
    Row(
        cause="the app's identity may not write to the subscriber's storage",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign Storage Blob Data Contributor on the container of the workspace's storage to the app's identity",
        status=REFUSED,
        codes=codes(
            "AuthorizationPermissionMismatch",
            "AuthorizationServiceMismatch",
            "AuthorizationResourceTypeMismatch",
            "AuthorizationProtocolMismatch",
            "InsufficientAccountPermissions",
        ),
    ),
    Row(
        cause="the storage account is disabled",
        code="storage_disabled",
        owner=Owner.SUBSCRIBER,
        remedy="enable the storage account that Azure names",
        codes=codes("AccountIsDisabled"),
    ),
    Row(
        cause="bytes that may not be changed stand where the copy would go",
        code="storage_immutable",
        owner=Owner.SUBSCRIBER,
        remedy="take the container of the workspace's datastore out of the immutability policy",
        codes=codes("BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"),
    ),
    Row(
        cause="the bytes of the asset are in the archive tier",
        code="bytes_archived",
        owner=Owner.PUBLISHER,
        remedy="set the asset's blobs to the hot tier (az storage blob set-tier)",
        codes=codes("BlobArchived", "BlobBeingRehydrated"),
    ),
)
