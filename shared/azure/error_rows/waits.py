"""What passes by itself: no answer, an answer that broke off, a service in trouble, too many calls, no token at this moment.

These rows come first: what a service says while it fails is not to be believed.
"""

from shared.azure.error_row import NO_STATUS, Place, Row, Verdict, classes, codes, says
from shared.errors import Owner

CORE = "azure.core.exceptions"
SERVER_ERRORS = frozenset(range(500, 600))
ANSWER_SAYS_NOTHING = frozenset({408, 500, 502, 504})  # of whether the change was made

NO_TOKEN = Row(
    cause="the app's identity gets no token",
    verdict=Verdict.TRANSIENT,
    owner=Owner.PROVIDER,
    remedy="give the app an identity, and its client id in AZURE_CLIENT_ID",
    classes=classes(CORE, "ClientAuthenticationError")
    | classes("azure.identity._exceptions", "CredentialUnavailableError", "AuthenticationRequiredError")
    | classes("azure.ai.ml.identity._exceptions", "CredentialUnavailableError"),
    status=frozenset({NO_STATUS}),
)

WAITS = (
    Row(
        cause="the service that issues tokens refuses or fails; that hits every row alike, so all of them wait",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="correct the app's identity (AZURE_CLIENT_ID, its federation or secret, its Entra tenant) as the AADSTS code says",
        at=frozenset({Place.IDENTITY}),
    ),
    Row(
        cause="Entra refuses the app's identity; that hits every row alike, so all of them wait",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="correct the app's identity (AZURE_CLIENT_ID, its federation or secret, its Entra tenant) as the AADSTS code says",
        classes=NO_TOKEN.classes,
        says=says(r"\bAADSTS\d+"),
    ),
    Row(
        cause="the token expired on the way",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="set the clock of the machine that the app runs on",
        status=frozenset({401}),
        codes=codes("ExpiredAuthenticationToken"),
    ),
    Row(
        cause="too many calls for that Azure subscription",
        verdict=Verdict.THROTTLED,
        owner=Owner.PROVIDER,
        remedy="see what else uses the app's identity in that Azure subscription, and give it an identity of its own",
        status=frozenset({429}),
    ),
    Row(
        cause="the service is in trouble, and does not say whether it made the change",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="look at Azure's status page for that region, then open a support request with the text above",
        uncertain=True,
        status=ANSWER_SAYS_NOTHING,
    ),
    Row(
        cause="the service is in trouble",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="look at Azure's status page for that region, then open a support request with the text above",
        status=SERVER_ERRORS,
    ),
    Row(
        cause="the resource is locked by another change, or it is too early for this one",
        verdict=Verdict.TRANSIENT,
        owner=Owner.SUBSCRIBER,
        remedy="end the change that Azure names",
        status=frozenset({423, 425}),
    ),
    Row(
        cause="the name of the service is not known where the app runs: mostly a private DNS zone is missing",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="link the private DNS zone of the workspace's private endpoint to the app's network",
        classes=classes(CORE, "ServiceRequestError"),
        says=says("getaddrinfo", "name resolution", "name or service not known", "failed to resolve", "no address associated"),
    ),
    Row(
        cause="the service could not be reached: nothing was sent",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="let the app reach the service: a private endpoint in its network, or public network access",
        classes=classes(CORE, "ServiceRequestError", "ServiceRequestTimeoutError"),
    ),
    Row(
        cause="the answer was lost on the way",
        verdict=Verdict.UNAVAILABLE,
        owner=Owner.PROVIDER,
        remedy="look at Azure's status page for that region, then at the way from the app's network to it",
        uncertain=True,
        classes=classes(CORE, "ServiceResponseError", "ServiceResponseTimeoutError", "IncompleteReadError", "DecodeError")
        | classes(CORE, "StreamClosedError", "StreamConsumedError", "ResponseNotReadError")
        | classes("builtins", "ConnectionError", "TimeoutError")
        | classes("requests.exceptions", "RequestException"),
    ),
)

# Codes of Azure's own trouble, and of a race with another change: of failed operations, whose status is 200, too.
LATE_WAITS = (
    Row(
        cause="Azure's own trouble, said by code",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="open a support request with the text above",
        codes=codes("InternalServerError", "InternalError", "ServiceUnavailable", "ServerBusy", "Timeout", "OperationTimedOut"),
    ),
    Row(
        cause="too many calls, said by code",
        verdict=Verdict.TRANSIENT,
        owner=Owner.PROVIDER,
        remedy="see what else uses the app's identity in that Azure subscription, and give it an identity of its own",
        codes=codes("TooManyRequests", "SubscriptionRequestsThrottled", "AccountBeingCreated"),
    ),
    Row(
        cause="Azure gave up the operation for another one, or for one of its own: it may be done again",
        verdict=Verdict.TRANSIENT,
        owner=Owner.SUBSCRIBER,
        remedy="end the other change to that endpoint",
        status=frozenset({200}),
        codes=codes("OperationCanceled", "OperationCancelled", "AnotherOperationInProgress", "ResourceGroupBeingDeleted"),
    ),
)
