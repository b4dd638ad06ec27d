"""What every resource provider behind Azure Resource Manager asks of a request."""

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.errors import AzureError

GROUP = r"/subscriptions/{subscription}/{_groups:(?i:resourceGroups)}/{group}"


def demand_version(request: web.Request, *supported: str) -> None:
    """Raises AzureError 400 as ARM does where the api-version is missing, or none of those that the resource type has."""
    version = request.query.get("api-version")
    if version is None:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise AzureError(400, "MissingApiVersionParameter", message)
    if version not in supported:
        kind = caller_of(request).resource_type.partition("/")[2]
        message = (
            f"No registered resource provider found for location 'global' and API version '{version}' for type '{kind}'. "
            f"The supported api-versions are '{', '.join(supported)}'."
        )
        raise AzureError(400, "NoRegisteredProviderFound", message)


def known_subscription(request: web.Request, cloud: Cloud) -> str:
    """The Azure subscription of the path, which whoever asks may read. Raises AzureError 404 or 403."""
    named = request.match_info["subscription"]
    config = cloud.config
    known = [*(each.subscription for each in config.workspaces), *(each.subscription for each in config.registries)]
    found = next((each for each in known if each.lower() == named.lower()), None)
    if found is None:
        raise AzureError(404, "SubscriptionNotFound", f"The subscription '{named}' could not be found.")
    caller_of(request).demand(f"/subscriptions/{found}", write=False)
    return found
