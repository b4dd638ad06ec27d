"""The table of all that Azure can answer: every class of the SDKs is named in it, and each cause leads to who must act, and how."""

import importlib
import inspect
import json
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast

import azure.ai.ml
import azure.core
import azure.identity
import azure.storage.blob
import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.core.rest import HttpRequest
from azure.mgmt.core.exceptions import ARMErrorFormat
from requests.structures import CaseInsensitiveDict

from shared.azure.error_row import Evidence, Row, Verdict
from shared.azure.error_table import NAMED_CLASSES, TABLE
from shared.azure.errors import row_for, verdict
from shared.errors import Conflict, NotFound, Owner, Permanent, Throttled, Transient, Unavailable
from shared.secrets import LONGEST

# ---- every class of the SDKs

SDKS = (azure.core, azure.identity, azure.storage.blob, azure.ai.ml)
NAMESPACES = ("azure.core.", "azure.identity.", "azure.storage.", "azure.ai.ml.")


def modules() -> Iterator[ModuleType]:
    for package in SDKS:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _name: None):
            with suppress(ImportError, AzureError):  # parts that need what Fanout does not install: trio, docker, mldesigner
                yield importlib.import_module(found.name)


def exception_classes() -> list[type[Exception]]:
    """All that azure-core, azure-identity, azure-storage-blob and azure-ai-ml define, wherever in them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = [each for module in modules() for each in vars(module).values()]
    kinds = {each for each in names if issubclass(type(each), type) and issubclass(each, Exception)}  # asks no lazy stand-in
    return sorted((each for each in kinds if each.__module__.startswith(NAMESPACES)), key=full_name)


def full_name(each: type) -> str:
    return f"{each.__module__}.{each.__qualname__}"


CLASSES = exception_classes()


def test_the_walk_finds_the_classes_that_there_are() -> None:
    names = {each.__name__ for each in CLASSES}
    assert {"HttpResponseError", "ValidationException", "AssetNotChangedError", "AuthenticationRequiredError"} <= names
    assert len(CLASSES) > 60


@pytest.mark.parametrize("kind", CLASSES, ids=full_name)
def test_every_class_of_the_sdks_is_named_in_the_table(kind: type[Exception]) -> None:
    assert full_name(kind) in NAMED_CLASSES, f"name {full_name(kind)} in a row of shared/azure/error_rows"


@pytest.mark.parametrize("kind", CLASSES, ids=full_name)
def test_a_class_that_tells_nothing_more_is_known_by_its_own_name(kind: type[Exception]) -> None:
    """Not by its parent's: a fallback decides nothing that somebody has not thought of."""
    bare = Evidence(frozenset(full_name(each) for each in kind.__mro__))
    first = next(row for row in TABLE if not row.says and row.recognises(bare))
    assert full_name(kind) in first.classes


def test_no_row_names_a_class_that_is_not_there() -> None:
    for name in NAMED_CLASSES:
        module, _, kind = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), kind), type), name


def arguments(kind: type[Exception]) -> dict[str, Any]:
    """What its constructor must be given, made up by name."""
    made_up: dict[str, Any] = {
        "message": "it went wrong",
        "no_personal_data_message": "it went wrong",
        "scopes": (),
        "parts": [],
        "keywords": ["a"],
    }
    made_up |= {"min_number": 1, "max_number": 2, "given_number": 3, "missing_args": ["a"], "response": Answer(400, body_of("Odd"))}
    made_up |= {"error": ValueError("no"), "expected_message": "", "error_category": "UserError"}
    parameters = inspect.signature(kind.__init__).parameters.values()
    needed = [each for each in parameters if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD]
    return {each.name: made_up.get(each.name, each.name) for each in needed if each.name != "self"}


@pytest.mark.parametrize("kind", [each for each in CLASSES if issubclass(each, AzureError)], ids=full_name)
def test_every_azure_error_that_is_raised_gets_a_verdict_with_its_text(kind: type[Exception]) -> None:
    found = verdict(kind(**arguments(kind)), "deploy credit-card:7")
    text = found.reason.text if isinstance(found, Permanent) else str(found)
    assert text.startswith("deploy credit-card:7: ")


def ml(name: str, *values: str) -> Exception:
    """An exception of azure-ai-ml, as the SDK raises it: a message, and the same without personal data."""
    kind = cast(Callable[..., Exception], getattr(importlib.import_module("azure.ai.ml.exceptions"), name))
    return kind(*values)


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        (ml("ValidationException", "the model must have a path", "no path"), Permanent, "refused"),
        (ml("ValidationException", "cards:1 already exists in registry hub", "exists"), Conflict, ""),
        (ml("AssetPathException", "The code asset's path is immutable", "immutable"), Permanent, "version_taken"),
        (ml("EmptyDirectoryError", "Directory /m is empty", "empty"), Permanent, "no_files"),
        (ml("UnexpectedKeywordError", "begin", "polling"), Permanent, "unexpected"),
        (ml("UnexpectedAttributeError", "polling"), Permanent, "unexpected"),
        (ml("UserErrorException", "not for pipelines"), Permanent, "refused"),
        (ml("UnsupportedOperationError", "share"), Permanent, "refused"),
        (ml("LocalEndpointNotFoundError", "cards"), Permanent, "unexpected"),
        (ml("ModelException", "no such model", "none"), Permanent, "refused"),
        (ml("MlException", "something", "something"), Permanent, "refused"),
        (AzureError("something"), Permanent, "refused"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_the_ml_sdk_raises_itself(error: Exception, expected: type[Exception], code: str) -> None:
    found = verdict(error, "register")
    assert type(found) is expected
    assert (found.reason.code if isinstance(found, Permanent) else "") == code


# ---- every cause

ARM = "https://management.azure.com/subscriptions/4fb3e0ae-6f5c-4c6b-a8a4-0f3d9b7c1d11"
ML_PROVIDER = "providers/Microsoft.MachineLearningServices"
MFE = "https://westeurope.api.azureml.ms/mferp/managementfrontend/subscriptions/s/resourceGroups/g"
WORKSPACE = f"{ARM}/resourceGroups/g/{ML_PROVIDER}/workspaces/w/onlineEndpoints/cards/deployments/d"
OPERATION = f"{ARM}/{ML_PROVIDER}/locations/westeurope/mfeOperationsStatus/od"
REGISTRY = f"{MFE}/{ML_PROVIDER}/registries/hub/models/cards/versions/1"
IMPORT = f"{MFE}/{ML_PROVIDER}/registries/hub/import"
IMPORTING = "https://westeurope.api.azureml.ms/assetstore/v1.0/operations/4fb3e0ae"
DISCOVERY = "https://eastus.api.azureml.ms/registrymanagement/v1.0/registries/hub/discovery"
BLOB = "https://account.blob.core.windows.net/container/model.pkl"
LOGIN = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"


@dataclass
class Answer:
    """As much of an HTTP answer as azure-core's exceptions read."""

    status_code: int
    body: str
    url: str = WORKSPACE
    headers: CaseInsensitiveDict[str] = field(default_factory=CaseInsensitiveDict)
    reason: str = "as a test says"

    @property
    def request(self) -> HttpRequest:
        return HttpRequest("GET", self.url)

    def text(self) -> str:
        return self.body


def body_of(code: str, message: str = "no", **more: object) -> str:
    return json.dumps({"error": {"code": code, "message": message, **more}})


def inferencing(message: str, code: str = "InferencingClientCreateDeploymentFailed") -> str:
    """As the online inference service answers through Azure ML's front end (azure-docs#101942, azureml-examples#1931)."""
    inner = json.dumps({"errors": {"VmSize": [message]}, "title": "One or more validation errors occurred.", "status": 400})
    details = [{"code": code, "message": f"InferencingClient HttpRequest error, error detail: {inner}", "details": []}]
    return body_of("BadRequest", "The request is invalid.", details=details, additionalInfo=[])


def failed(code: str, message: str = "no", **more: object) -> str:
    """The answer of an operation that failed."""
    return json.dumps({"id": "od", "status": "Failed", "error": {"code": code, "message": message, **more}})


def of_storage(code: str, message: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'


NOT_ALLOWED = "User/tenant/subscription is not allowed to access registry hub"
UNAUTHORIZED_REGISTRY = json.dumps(
    {
        "error": {
            "code": "UserError",
            "message": NOT_ALLOWED,
            "details": [],
            "innerError": {
                "code": "Auth",
                "innerError": {"code": "Authorization", "innerError": {"code": "UnAuthorizedRegistryAccess"}},
            },
            "additionalInfo": None,
        }
    }
)
PRIVATE_LINK = (
    "User is not authorized to access provided resources due to none of the workspaces/registries are accessible from outside of "
    "the designated private link."
)
NO_ACTION = (
    "The client 'app' with object id 'o' does not have authorization to perform action '{0}/read' over scope "
    "'/subscriptions/s/resourceGroups/g/providers/{0}/it' or the scope is invalid."
)
NO_ROLE_ON_WORKSPACE = NO_ACTION.format("Microsoft.MachineLearningServices/workspaces")
NO_ROLE_ON_REGISTRY = NO_ACTION.format("Microsoft.MachineLearningServices/registries")
WRONG_ISSUER = (
    "The access token is from the wrong issuer 'https://sts.windows.net/a/'. It must match the tenant 'https://sts.windows.net/b/' "
    "associated with this subscription."
)
LINKED_TENANT = (
    "The client has permission to perform action; however, the current tenant '4fb3e0ae-6f5c-4c6b-a8a4-0f3d9b7c1d11' is not "
    "authorized to access linked subscription 's'."
)
NO_QUOTA = "Not enough quota available for Standard_DS3_v2 in SubscriptionId s. Current usage/limit: 0/6. Additional needed: 8"
NAME_TAKEN = "There is already an endpoint with this name, Endpoint name needs to be unique within a region. Try some other name."
BATCH_NAME_TAKEN = "The specified endpoint name 'cards' is not available. Endpoint names must be unique within the region."
DELETED = "Asset azureml://registries/hub/models/m/versions/3 was deleted at 08/16/2024 16:27:49 +00:00, it cannot be recreated."
NETWORK_RULES = "This request is not authorized to perform this operation."
NOT_BY_THIS_PERMISSION = "This request is not authorized to perform this operation using this permission."
REGION = "The workspace's region eastasia is not among the regions of registry hub: westeurope."
ENVIRONMENT_TIMEOUT = "Deployment failed due to timeout while waiting for Environment Image to become available."
PROVIDER, PUBLISHER, SUBSCRIBER = Owner.PROVIDER, Owner.PUBLISHER, Owner.SUBSCRIBER

PERMANENT: list[tuple[int, str, str, str, Owner, str]] = [  # status, url, body; our code, who must act, a word of the remedy
    # tenants and reach
    (401, WORKSPACE, body_of("InvalidAuthenticationTokenTenant", WRONG_ISSUER), "another_entra_tenant", PROVIDER, "Entra tenant"),
    (401, WORKSPACE, body_of("AuthenticationFailed", WRONG_ISSUER), "another_entra_tenant", PROVIDER, "Entra tenant"),
    (403, WORKSPACE, body_of("LinkedAuthorizationFailed", LINKED_TENANT), "another_entra_tenant", PROVIDER, "Entra tenant"),
    (404, WORKSPACE, body_of("SubscriptionNotFound"), "workspace_not_found", PROVIDER, "ARM id"),
    (400, WORKSPACE, body_of("InvalidSubscriptionId"), "workspace_not_found", PROVIDER, "ARM id"),
    (
        404,
        WORKSPACE,
        body_of("ResourceNotFound", "The Resource 'x/workspaces/w' was not found."),
        "workspace_not_found",
        PROVIDER,
        "ARM",
    ),
    (401, WORKSPACE, body_of("InvalidAuthenticationToken"), "unauthenticated", PROVIDER, "identity"),
    # networks
    (401, WORKSPACE, body_of("UserError", PRIVATE_LINK), "network_isolated", PROVIDER, "private endpoint"),
    (403, REGISTRY, body_of("UserError", PRIVATE_LINK), "network_isolated", PROVIDER, "private endpoint"),
    (403, IMPORT, body_of("UserError", PRIVATE_LINK), "network_isolated", PROVIDER, "private endpoint"),
    (200, IMPORTING, failed("UserError", PRIVATE_LINK), "network_isolated", PUBLISHER, "resource instance"),
    (
        200,
        IMPORTING,
        failed("UserError", "x", innererror={"code": "AuthorizationFailure"}),
        "network_isolated",
        PUBLISHER,
        "storage",
    ),
    (403, BLOB, of_storage("AuthorizationFailure", NETWORK_RULES), "network_isolated", SUBSCRIBER, "app's network"),
    (409, BLOB, of_storage("PublicAccessNotPermitted", "no"), "network_isolated", SUBSCRIBER, "app's network"),
    (200, OPERATION, failed("BadArgument", "Public network access is disabled"), "network_isolated", SUBSCRIBER, "outbound rule"),
    (200, OPERATION, failed("WorkspaceManagedNetworkNotReady"), "network_not_ready", SUBSCRIBER, "provision-network"),
    (
        400,
        WORKSPACE,
        body_of("BadArgument", "MLflow model format with private network is unsupported"),
        "network_isolated",
        SUBSCRIBER,
        "managed",
    ),
    # storage
    (403, BLOB, of_storage("KeyBasedAuthenticationNotPermitted", "no"), "key_access_disabled", SUBSCRIBER, "Blob Data Contributor"),
    (200, IMPORTING, failed("KeyBasedAuthenticationNotPermitted"), "key_access_disabled", PUBLISHER, "identity-based"),
    (403, BLOB, of_storage("CannotVerifyCopySource", "no"), "copy_source_unreadable", PROVIDER, "networking"),
    (
        403,
        BLOB,
        of_storage("AuthorizationPermissionMismatch", NOT_BY_THIS_PERMISSION),
        "forbidden",
        PROVIDER,
        "Blob Data Contributor",
    ),
    (403, BLOB, of_storage("Whatever", "no"), "forbidden", PROVIDER, "Storage Blob Data Contributor"),
    (403, BLOB, of_storage("AccountIsDisabled", "no"), "storage_disabled", SUBSCRIBER, "enable"),
    (409, BLOB, of_storage("BlobImmutableDueToPolicy", "no"), "storage_immutable", SUBSCRIBER, "immutability policy"),
    (409, BLOB, of_storage("BlobArchived", "no"), "bytes_archived", PUBLISHER, "hot tier"),
    # roles
    (401, DISCOVERY, UNAUTHORIZED_REGISTRY, "registry_forbidden", PROVIDER, "AzureML Registry User"),
    (400, DISCOVERY, body_of("UserError", NOT_ALLOWED), "registry_forbidden", PROVIDER, "AzureML Registry User"),
    (403, WORKSPACE, body_of("LinkedAuthorizationFailed"), "forbidden", PROVIDER, "Managed Identity Operator"),
    (403, WORKSPACE, body_of("AuthorizationFailed", NO_ROLE_ON_WORKSPACE), "forbidden", PROVIDER, "AzureML Data Scientist"),
    (403, IMPORT, body_of("AuthorizationFailed", NO_ROLE_ON_WORKSPACE), "forbidden", PUBLISHER, "AzureML Data Scientist"),
    (403, REGISTRY, body_of("AuthorizationFailed", NO_ROLE_ON_REGISTRY), "forbidden", PROVIDER, "AzureML Registry User"),
    (403, IMPORT, body_of("Forbidden"), "forbidden", PROVIDER, "AzureML Registry User"),
    (403, WORKSPACE, body_of("AuthorizationFailed", NO_ROLE_ON_REGISTRY), "forbidden", PROVIDER, "AzureML Registry User"),
    (403, "https://elsewhere/", body_of("Forbidden"), "forbidden", PROVIDER, "AzureML Data Scientist"),
    # limits
    (400, WORKSPACE, body_of("RoleAssignmentLimitExceeded"), "out_of_quota", SUBSCRIBER, "role assignments"),
    (200, OPERATION, failed("OutOfQuota", "The role assignment limit is reached"), "out_of_quota", SUBSCRIBER, "role assignments"),
    (400, WORKSPACE, inferencing("The limit for endpoints is reached"), "out_of_quota", SUBSCRIBER, "delete unused endpoints"),
    (200, OPERATION, failed("OutOfCapacity"), "out_of_capacity", SUBSCRIBER, "another instance type"),
    (
        200,
        OPERATION,
        failed("OutOfQuota", "due to a lack of Azure ML capacity"),
        "out_of_capacity",
        SUBSCRIBER,
        "another instance type",
    ),
    (200, OPERATION, failed("OutOfQuota", "the container is out of memory"), "instance_too_small", SUBSCRIBER, "instance_type"),
    (200, OPERATION, failed("OutOfQuota", "needs 6 cores, 4 are left"), "out_of_quota", SUBSCRIBER, "core quota"),
    (400, WORKSPACE, body_of("QuotaExceeded"), "out_of_quota", SUBSCRIBER, "raise the quota"),
    (400, WORKSPACE, inferencing(NO_QUOTA), "out_of_quota", SUBSCRIBER, "core quota"),
    (409, WORKSPACE, body_of("SkuNotAvailable"), "instance_type_refused", SUBSCRIBER, "list-skus"),
    (
        400,
        WORKSPACE,
        inferencing("The instance type Standard_X is not supported."),
        "instance_type_refused",
        SUBSCRIBER,
        "list-skus",
    ),
    (403, WORKSPACE, body_of("RequestDisallowedByPolicy"), "denied_by_policy", SUBSCRIBER, "exempt the workspace"),
    (403, IMPORT, body_of("RequestDisallowedByPolicy"), "denied_by_policy", PROVIDER, "exempt the registry"),
    (200, OPERATION, failed("BadArgument", "Resource 'x' was disallowed by policy."), "denied_by_policy", SUBSCRIBER, "exempt"),
    (409, WORKSPACE, body_of("ScopeLocked"), "locked", SUBSCRIBER, "az lock delete"),
    (409, REGISTRY, body_of("ScopeLocked"), "locked", PROVIDER, "az lock delete"),
    (409, WORKSPACE, body_of("ReadOnlyDisabledSubscription"), "azure_subscription_disabled", SUBSCRIBER, "enable"),
    (409, WORKSPACE, body_of("MissingSubscriptionRegistration"), "provider_not_registered", SUBSCRIBER, "az provider register"),
    # assets and names
    (400, WORKSPACE, inferencing(NAME_TAKEN, "InferencingClientCallFailed"), "endpoint_name_taken", SUBSCRIBER, "another endpoint"),
    (409, WORKSPACE, body_of("UserError", BATCH_NAME_TAKEN), "endpoint_name_taken", SUBSCRIBER, "another endpoint"),
    (400, WORKSPACE, body_of("EndpointAlreadyExists"), "endpoint_name_taken", SUBSCRIBER, "another endpoint"),
    (400, REGISTRY, body_of("UserError", DELETED), "version_deleted", PUBLISHER, "new version"),
    (409, IMPORT, body_of("UserError", DELETED), "version_deleted", PUBLISHER, "new version"),
    (400, IMPORT, body_of("UserError", REGION), "region_not_covered", PROVIDER, "add the workspace's region"),
    (400, IMPORT, body_of("UserError", "The number of files 2031 exceeds 1500"), "too_many_files", PUBLISHER, "1,500 files"),
    (
        200,
        IMPORTING,
        failed("UserError", "Artifact batch size exceeded the limit of 100"),
        "too_many_files",
        PUBLISHER,
        "1,500 files",
    ),
    (400, WORKSPACE, body_of("RequestContentTooLarge"), "too_large", PUBLISHER, "tags"),
    (413, WORKSPACE, "<html>too large</html>", "too_large", PUBLISHER, "tags"),
    (400, REGISTRY, body_of("InvalidResourceName"), "name_refused", PUBLISHER, "`as:`"),
    (400, WORKSPACE, body_of("InvalidResourceName"), "name_refused", SUBSCRIBER, "3 to 32"),
    (400, WORKSPACE, inferencing("ServingContainer.Image must not be empty"), "environment_missing", SUBSCRIBER, "environment"),
    (200, OPERATION, failed("UserError", "Could not find asset with ID: azureml://x"), "asset_gone", PUBLISHER, "new version"),
    # deployments
    (
        200,
        OPERATION,
        failed("BadArgument", "Endpoint identity does not have pull permission on the registry."),
        "registry_pull_denied",
        PROVIDER,
        "User",
    ),
    (
        200,
        OPERATION,
        failed("ImageBuildFailure", "failed to communicate with the workspace's container registry"),
        "network_isolated",
        SUBSCRIBER,
        "image-build-compute",
    ),
    (
        200,
        OPERATION,
        failed("ImageBuildFailure", "container registry authorization failure"),
        "image_pull_denied",
        SUBSCRIBER,
        "AcrPull",
    ),
    (200, OPERATION, failed("BadArgument", "Unable to download user container image"), "image_pull_denied", SUBSCRIBER, "AcrPull"),
    (200, OPERATION, failed("ImagePullLoopBackOff"), "image_pull_denied", SUBSCRIBER, "AcrPull"),
    (200, OPERATION, failed("ResourceNotFound", ENVIRONMENT_TIMEOUT), "image_build_failed", PUBLISHER, "image is built"),
    (200, OPERATION, failed("ImageBuildFailure", "conda failed"), "image_build_failed", PUBLISHER, "environment"),
    (
        200,
        OPERATION,
        failed("BadArgument", "Startup task failed due to authorization error"),
        "endpoint_forbidden",
        SUBSCRIBER,
        "AcrPull",
    ),
    (200, OPERATION, failed("SecretsInjectionError"), "secret_unreadable", SUBSCRIBER, "Key Vault Secrets User"),
    (200, OPERATION, failed("ResourceNotReady"), "not_ready", PUBLISHER, "logs"),
    (200, OPERATION, failed("KubernetesUnaccessible"), "cluster_out_of_order", SUBSCRIBER, "cluster"),
    (200, OPERATION, failed("NotSupported"), "not_supported", SUBSCRIBER, "action"),
    (
        200,
        OPERATION,
        failed("ResourceNotFound", "The storage account a was not found"),
        "dependency_missing",
        SUBSCRIBER,
        "restore",
    ),
    # nothing more is known
    (200, OPERATION, failed("BadArgument", "no"), "refused", PROVIDER, "Azure's text"),
    (400, WORKSPACE, "no JSON", "refused", PROVIDER, "Azure's text"),
]


def error_of(status: int, url: str, body: str) -> HttpResponseError:
    return HttpResponseError(response=Answer(status, body, url), error_format=ARMErrorFormat)


@pytest.mark.parametrize(("status", "url", "body", "code", "owner", "word"), PERMANENT)
def test_a_cause_leads_to_who_must_act_and_how(status: int, url: str, body: str, code: str, owner: Owner, word: str) -> None:
    found = verdict(error_of(status, url, body), "deploy")
    assert isinstance(found, Permanent)
    assert (found.reason.code, found.reason.owner) == (code, owner)
    assert word in found.reason.remedy


WAITING: list[tuple[int, str, str, type[Transient]]] = [
    (429, WORKSPACE, body_of("SubscriptionRequestsThrottled"), Throttled),
    (503, WORKSPACE, body_of("ServiceUnavailable"), Unavailable),
    (500, WORKSPACE, body_of("InternalServerError", "public network access is disabled"), Unavailable),
    (408, WORKSPACE, "", Unavailable),
    (423, WORKSPACE, body_of("Locked"), Transient),
    (400, LOGIN, json.dumps({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."}), Transient),
    (429, LOGIN, "", Transient),
    (401, WORKSPACE, body_of("ExpiredAuthenticationToken"), Transient),
    (403, BLOB, of_storage("AuthenticationFailed", "Signature not valid in the specified time frame"), Transient),
    (200, OPERATION, failed("InternalServerError"), Transient),
    (200, OPERATION, failed("OperationCanceled", "by another operation that has a higher priority"), Transient),
    (200, OPERATION, failed("TooManyRequests"), Transient),
    (404, REGISTRY, body_of("UserError", "Could not find asset with ID: azureml://registries/hub/models/m/versions/2"), NotFound),
    (404, BLOB, of_storage("CannotVerifyCopySource", "The specified blob does not exist."), NotFound),
    (409, WORKSPACE, body_of("Conflict"), Conflict),
    (409, IMPORT, body_of("UserError", "Asset with ID: azureml://registries/hub/models/m/versions/2 already exists."), Conflict),
    (412, BLOB, of_storage("ConditionNotMet", "no"), Conflict),
]


@pytest.mark.parametrize(("status", "url", "body", "expected"), WAITING)
def test_what_may_pass_is_waited_for(status: int, url: str, body: str, expected: type[Transient]) -> None:
    assert type(verdict(error_of(status, url, body), "deploy")) is expected


@pytest.mark.parametrize(
    ("error", "expected", "word"),
    [
        (
            ServiceRequestError("Failed to resolve 'w.api.azureml.ms' ([Errno -2] Name or service not known)"),
            Unavailable,
            "private DNS zone",
        ),
        (ServiceRequestError("[Errno 111] Connection refused"), Unavailable, "private endpoint"),
        (ClientAuthenticationError("AADSTS700016: Application with identifier 'a' was not found"), Transient, "AADSTS code"),
        (ClientAuthenticationError("no managed identity endpoint found"), Transient, "AZURE_CLIENT_ID"),
    ],
)
def test_what_no_answer_stands_behind_says_how_to_end_it_too(error: Exception, expected: type[Transient], word: str) -> None:
    found = verdict(error, "deploy")
    assert type(found) is expected
    assert word in str(found)


def test_every_row_that_an_answer_can_reach_is_reached_by_one_above() -> None:
    answers = [each[:3] for each in PERMANENT] + [each[:3] for each in WAITING]
    reached = {id(row_for(error_of(*answer))) for answer in answers}
    assert [row.cause for row in TABLE if id(row) not in reached and not row.classes and row is not TABLE[-1]] == []


# ---- what each row must have


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.cause)
def test_a_row_says_who_must_do_what(row: Row) -> None:
    assert row.cause
    assert re.match(r"[a-z]+ .{8}", row.remedy), "an order: a verb, and what to do"
    assert bool(row.code) == (row.verdict is Verdict.PERMANENT)


@pytest.mark.parametrize("row", [row for row in TABLE if row.verdict is Verdict.PERMANENT], ids=lambda row: row.cause)
def test_the_whole_reason_fits_where_it_is_told(row: Row) -> None:
    """Row, log and outcome event cut at the same length: none of them may lose the remedy."""
    longest = verdict(HttpResponseError("x" * 10_000, response=Answer(400, "")), "deploy")
    assert isinstance(longest, Permanent)
    longest_text = len(longest.reason.text)
    assert len(str(Permanent(row.code, "x" * longest_text, row.owner, row.remedy).reason)) <= LONGEST


def test_the_text_tells_each_of_azures_messages_once() -> None:
    found = verdict(error_of(400, WORKSPACE, inferencing(NO_QUOTA)), "deploy")
    assert isinstance(found, Permanent)
    assert found.reason.text.startswith("deploy: (BadRequest) The request is invalid.; (InferencingClientCreateDeploymentFailed) ")
    assert found.reason.text.count("Not enough quota") == 1


@pytest.mark.parametrize("body", ["", "[[[[", "[" * 100_000, '{"error": []}', '{"error": {"code": 7}}', '{"code": null}', "\x00"])
def test_an_answer_that_is_none_is_read_without_harm(body: str) -> None:
    assert row_for(error_of(400, WORKSPACE, body)).code == "refused"
