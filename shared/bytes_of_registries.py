"""Whether an asset's bytes lie in a registry: then it came from there, and is not shared back."""

import re

from shared.rules import Provider

REGISTRY_PATH = "azureml://registries/"
_GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def lie_in_registry(uri: str, provider: Provider) -> bool:
    """A registry's id or path, or a blob in a container of one of the provider's registries.

    A registry keeps each asset in a container `<registry>-<guid>` of its own storage (recorded: test_promote_model).
    """
    if uri.lower().startswith(REGISTRY_PATH):
        return True
    names = "|".join(re.escape(registry.name) for registry in provider.registries)
    return bool(names and re.match(rf"https://[^/]+/({names})-{_GUID}(/|$)", uri, re.IGNORECASE))
