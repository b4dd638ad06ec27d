"""What no other row knows: by HTTP status, then by the class of the exception. Each class of Azure's SDKs is named in some row."""

from shared.azure.error_row import NO_STATUS, Row, Verdict, classes
from shared.azure.error_rows.waits import NO_TOKEN
from shared.errors import Owner

CORE = "azure.core.exceptions"
ML = "azure.ai.ml.exceptions"
STORAGES = ("azure.storage.blob", "azure.storage.fileshare", "azure.storage.filedatalake")
AVRO = "azure.storage.blob._shared.avro"

REFUSALS = classes(CORE, "HttpResponseError", "ODataV4Error").union(
    *(classes(f"{storage}._shared.response_handlers", "PartialBatchErrorException") for storage in STORAGES)
)

BY_STATUS = (
    Row(
        cause="Azure does not accept the app's token",
        code="unauthenticated",
        owner=Owner.PROVIDER,
        remedy="check the app's identity and the Entra tenant of the workspace",
        status=frozenset({401}),
    ),
    Row(
        cause="the app's identity has no role there",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign AzureML Data Scientist on the workspace, AzureML Registry User on the registry, to the app's identity",
        status=frozenset({403}),
    ),
    Row(
        cause="it is not there, or not yet",
        verdict=Verdict.NOT_FOUND,
        owner=Owner.PUBLISHER,
        remedy="register what is missing, or correct its name",
        status=frozenset({404}),
    ),
    Row(
        cause="it is there already, or being changed at this moment: the next look tells",
        verdict=Verdict.CONFLICT,
        owner=Owner.SUBSCRIBER,
        remedy="end the other change, or take the other resource away",
        status=frozenset({304, 409, 412}),
    ),
)

BY_CLASS = (
    Row(
        cause="the app's key for a storage account is none",
        code="bad_setting",
        owner=Owner.PROVIDER,
        remedy="correct the storage connection string in the app's settings",
        classes=frozenset().union(*(classes(f"{each}._shared.authentication", "AzureSigningError") for each in STORAGES)),
    ),
    NO_TOKEN,
    Row(
        cause="the SDK did not find it",
        verdict=Verdict.NOT_FOUND,
        owner=Owner.PUBLISHER,
        remedy="register what is missing, or correct its name",
        classes=classes(CORE, "ResourceNotFoundError"),
    ),
    Row(
        cause="the SDK found it there already, or changed",
        verdict=Verdict.CONFLICT,
        owner=Owner.SUBSCRIBER,
        remedy="end the other change, or take the other resource away",
        classes=classes(CORE, "ResourceExistsError", "ResourceModifiedError", "ResourceNotModifiedError"),
    ),
    Row(
        cause="Azure sends the request round in circles",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="correct the address of the cloud in the app's settings, or the proxy of its network",
        uncertain=True,
        classes=classes(CORE, "TooManyRedirectsError"),
    ),
    Row(
        cause="an answer without a status: it broke off half way",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="look at Azure's status page for that region, then at the way from the app's network to it",
        uncertain=True,
        classes=REFUSALS,
        status=frozenset({NO_STATUS}),
    ),
    Row(
        cause="Azure refuses the request for a reason of its own",
        code="refused",
        owner=Owner.PROVIDER,
        remedy="see Azure's text; mend what it names, then retry",
        classes=REFUSALS,
    ),
    Row(
        cause="the SDK makes no sense of an answer",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="report it with the row",
        uncertain=True,
        classes=classes(CORE, "DeserializationError", "SerializationError")
        | classes("azure.core.polling.base_polling", "BadResponse", "BadStatus", "OperationFailed")
        | classes("azure.core.pipeline.transport._base_async", "_ResponseStopIteration"),
    ),
)

OF_THE_ML_SDK = (
    Row(
        cause="the SDK was called the wrong way: a defect of Fanout's, or a version of the SDK that it does not know",
        code="unexpected",
        owner=Owner.PROVIDER,
        remedy="report it with the row",
        classes=classes(ML, "KeywordError", "UnexpectedKeywordError", "UnexpectedAttributeError", "MissingPositionalArgsError")
        | classes(ML, "TooManyPositionalArgsError", "MultipleValueError", "ParamValueNotExistsError", "CannotSetAttributeError")
        | classes(ML, "UnsupportedParameterKindError")
        | classes("azure.ai.ml._utils._pathspec", "GitWildMatchPatternError"),
    ),
    Row(
        cause="of parts of the SDKs that Fanout does not use: local endpoints, jobs, schedules, VS Code, queries of blobs",
        code="unexpected",
        owner=Owner.PROVIDER,
        remedy="report it with the row",
        classes=classes(ML, "LocalEndpointNotFoundError", "LocalEndpointInFailedStateError", "InvalidLocalEndpointError")
        | classes(ML, "LocalEndpointImageBuildError", "LocalDeploymentGPUNotAvailable", "MultipleLocalDeploymentsFoundError")
        | classes(ML, "CloudArtifactsNotSupportedError", "RequiredLocalArtifactsNotFoundError", "DockerEngineNotAvailableError")
        | classes(ML, "JobException", "JobParsingError", "PipelineChildJobError", "ScheduleException")
        | classes(ML, "InvalidVSCodeRequestError", "VSCodeCommandNotFound")
        | classes(f"{AVRO}.schema", "Error", "AvroException", "SchemaParseException")
        | classes(f"{AVRO}.avro_io", "SchemaResolutionException")
        | classes(f"{AVRO}.datafile", "DataFileException"),
    ),
    Row(
        cause="the SDK refuses the asset, the endpoint or the deployment before it asks Azure",
        code="refused",
        owner=Owner.PROVIDER,
        remedy="see the SDK's text; mend what it names, then retry",
        classes=classes(ML, "MlException", "ValidationException", "UserErrorException", "UnsupportedOperationError")
        | classes(ML, "AssetException", "ModelException", "ComponentException", "DeploymentException"),
    ),
    Row(
        cause="an error of an SDK that tells nothing more",
        code="refused",
        owner=Owner.PROVIDER,
        remedy="see Azure's text; mend what it names, then retry",
        classes=classes(CORE, "AzureError"),
    ),
)

UNKNOWN = Row(
    cause="nothing of Azure's",
    code="unexpected",
    owner=Owner.PROVIDER,
    remedy="report it with the row",
)
