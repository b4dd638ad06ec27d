"""What Azure ML objects to in an asset, a registry or a name.

Sources: azureml-assets#3439 (a deleted version), azureml-examples#1931 and ansible-collections/azure#2231 (an endpoint's name),
azure-docs#105457 (regions), azure-sdk-for-python#33598 (no environment), Azure ML's "manage registries".
"""

from shared.azure.error_row import NO_STATUS, Place, Row, Verdict, classes, codes, says
from shared.errors import Owner

ML = "azure.ai.ml.exceptions"
BY_REGISTRY = frozenset({Place.SHARE, Place.REGISTRY})
BAD_REQUEST = frozenset({NO_STATUS, 200, 400, 409, 413, 422})

ASSETS = (
    Row(
        cause="the name of the endpoint is taken by another workspace of the region",
        code="endpoint_name_taken",
        owner=Owner.SUBSCRIBER,
        remedy="name another endpoint in the subscription: endpoint names are unique in a region of Azure",
        status=BAD_REQUEST,
        says=says(
            "already an endpoint with this name",
            "endpoint name .{0,60} is not available",
            "endpoint names? (must|needs to) be unique",
        ),
    ),
    Row(
        cause="the name of the endpoint is taken in the Kubernetes cluster",
        code="endpoint_name_taken",
        owner=Owner.SUBSCRIBER,
        remedy="name another endpoint in the subscription: endpoint names are unique in a cluster",
        codes=codes("EndpointAlreadyExists"),
    ),
    Row(
        cause="the version was deleted, and Azure ML never takes a deleted one again",
        code="version_deleted",
        owner=Owner.PUBLISHER,
        remedy="register the asset under a new version; archive versions rather than delete them",
        status=BAD_REQUEST,
        says=says("cannot be recreated"),
    ),
    Row(
        cause="the registry does not cover the region of the workspace",
        code="region_not_covered",
        owner=Owner.PROVIDER,
        remedy="add the workspace's region to the registry (az ml registry update)",
        status=BAD_REQUEST,
        says=says(
            "region .{0,80}not among the regions of registry",
            "registry .{0,80}(does not|not) .{0,40}(support|cover|replicat).{0,40}region",
        ),
    ),
    Row(
        cause="the asset has more files than Azure ML takes",
        code="too_many_files",
        owner=Owner.PUBLISHER,
        remedy="pack the asset into at most 1,500 files, and register it under a new version",
        status=BAD_REQUEST,
        says=says(
            "too many files",
            "(number|count) of (files|artifacts|blobs) .{0,60}(exceed|limit|maximum|more than)",
            "(exceed|limit|maximum|more than).{0,60}\\b(files|artifacts)\\b",
            "artifact batch size exceeded",
        ),
    ),
    Row(
        cause="the description, tags and properties of the asset are longer than Azure ML takes",
        code="too_large",
        owner=Owner.PUBLISHER,
        remedy="shorten the asset's description, tags and properties, and register it under a new version",
        status=BAD_REQUEST,
        codes=codes(
            "RequestEntityTooLarge", "RequestContentTooLarge", "RequestBodyTooLarge", "PayloadTooLarge", "PropertyTooLarge"
        ),
    ),
    Row(
        cause="the request is larger than Azure takes, said by status",
        code="too_large",
        owner=Owner.PUBLISHER,
        remedy="shorten the asset's description, tags and properties, and register it under a new version",
        status=frozenset({413}),
    ),
    Row(
        cause="the asset's name or version is none that a registry takes",
        code="name_refused",
        owner=Owner.PUBLISHER,
        remedy="give the publication an `as:` that makes a name of letters, digits, - and _",
        status=BAD_REQUEST,
        codes=codes("InvalidResourceName", "InvalidName", "ReservedResourceName"),
        at=BY_REGISTRY,
    ),
    Row(
        cause="the name is none that Azure takes",
        code="name_refused",
        owner=Owner.SUBSCRIBER,
        remedy="name the endpoint in the subscription with 3 to 32 letters, digits and -, a letter first",
        codes=codes("InvalidResourceName", "InvalidName", "ReservedResourceName"),
    ),
    Row(
        cause="the model is no MLflow model, and neither environment nor scoring code is named",
        code="environment_missing",
        owner=Owner.SUBSCRIBER,
        remedy="name environment and scoring code in the subscription's action, or ask for an MLflow model",
        status=BAD_REQUEST,
        says=says(r"ServingContainer\.Image must not be empty", "environment .{0,40}(is required|must be (specified|provided))"),
    ),
    Row(
        cause="an asset that a deployment names is no longer in the registry",
        code="asset_gone",
        owner=Owner.PUBLISHER,
        remedy="register the asset under a new version, so that it is shared again",
        status=frozenset({200}),
        says=says("could not find asset with id"),
        at=frozenset({Place.WORKSPACE}),
    ),
    Row(
        cause="the version is in the registry already, which only the SDK's own share says this way",
        verdict=Verdict.CONFLICT,
        owner=Owner.PUBLISHER,
        remedy="register the asset under a new version, where the one in the registry is another's",
        classes=classes(ML, "ValidationException"),
        says=says("already exists in registry"),
    ),
    Row(
        cause="a version of that name is there with other bytes",
        code="version_taken",
        owner=Owner.SUBSCRIBER,
        remedy="rename the asset on its way (`as:` in the publication), or register your own under another name",
        classes=classes(ML, "AssetPathException"),
    ),
    Row(
        cause="the version is there already, with the very same bytes",
        verdict=Verdict.CONFLICT,
        owner=Owner.PUBLISHER,
        remedy="register the asset under a new version",
        classes=classes("azure.ai.ml._utils._asset_utils", "AssetNotChangedError"),
    ),
    Row(
        cause="the asset has no files",
        code="no_files",
        owner=Owner.PUBLISHER,
        remedy="register the asset under a new version, with its files",
        classes=classes(ML, "EmptyDirectoryError"),
    ),
)
