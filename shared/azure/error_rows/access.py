"""Who may do what: Entra tenants, what the app's identity can see, and its roles.

Sources: Resource Manager's "common deployment errors", Azure ML's "assign roles", azure-docs#122537 (a registry not to be read).
"""

from shared.azure.error_row import Place, Row, codes, says
from shared.errors import Owner

BY_REGISTRY = frozenset({Place.SHARE, Place.REGISTRY})

TENANCY = (
    Row(
        cause="the workspace is in another Entra tenant than the app's identity",
        code="another_entra_tenant",
        owner=Owner.PROVIDER,
        remedy="take the workspace out of the rules, or move its Azure subscription to the Entra tenant of the app's identity",
        codes=codes("InvalidAuthenticationTokenTenant"),
    ),
    Row(
        cause="a resource that the change refers to is in another Entra tenant",
        code="another_entra_tenant",
        owner=Owner.PROVIDER,
        remedy="take the workspace out of the rules, or move its Azure subscription to the Entra tenant of the app's identity",
        says=says(
            "access token is from the wrong issuer", r"tenant '?[0-9a-f-]{36}'? is not authorized to access linked subscription"
        ),
    ),
    Row(
        cause="the workspace is above the reach of the app's identity, or not there: Azure does not tell them apart",
        code="workspace_not_found",
        owner=Owner.PROVIDER,
        remedy="correct the workspace's ARM id in the rules, or assign AzureML Data Scientist on it to the app's identity",
        codes=codes("ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId"),
    ),
    Row(
        cause="the workspace is not there",
        code="workspace_not_found",
        owner=Owner.PROVIDER,
        remedy="correct the workspace's ARM id in the rules, or assign AzureML Data Scientist on it to the app's identity",
        status=frozenset({404}),
        codes=codes("ResourceNotFound"),
        says=says(r"/workspaces/[^/']+'"),
    ),
)

ROLES = (
    Row(
        cause="the app's identity may not see the registry, or its name or region is wrong",
        code="registry_forbidden",
        owner=Owner.PROVIDER,
        remedy="correct the registry's name in provider.yaml, or assign AzureML Registry User on it to the app's identity",
        codes=codes("UnAuthorizedRegistryAccess"),
    ),
    Row(
        cause="a registry that may not be read, said in words",
        code="registry_forbidden",
        owner=Owner.PROVIDER,
        remedy="correct the registry's name in provider.yaml, or assign AzureML Registry User on it to the app's identity",
        says=says("not allowed to access registry"),
    ),
    Row(
        cause="a resource that the change refers to may not be used by the app's identity",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign a role with the action and scope that Azure names to the app's identity (or Managed Identity Operator)",
        codes=codes("LinkedAuthorizationFailed"),
    ),
    Row(
        cause="the app's identity has no role on the publisher's workspace",
        code="forbidden",
        owner=Owner.PUBLISHER,
        remedy="assign AzureML Data Scientist on the workspace that is shared from to the app's identity",
        status=frozenset({200, 400, 401, 403}),
        codes=codes("AuthorizationFailed", "Forbidden", "Authorization"),
        says=says(r"Microsoft\.MachineLearningServices/workspaces/"),
        at=frozenset({Place.SHARE}),
    ),
    Row(
        cause="the app's identity has no role on the registry",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign AzureML Registry User on the registry to the app's identity",
        status=frozenset({403}),
        at=BY_REGISTRY,
    ),
    Row(
        cause="the app's identity has no role on the registry, said by its scope",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign AzureML Registry User on the registry to the app's identity",
        status=frozenset({403}),
        says=says(r"scope '[^']*/registries/", r"perform action '[^']*/registries/"),
    ),
    Row(
        cause="the app's identity has no role on the workspace",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign AzureML Data Scientist on the workspace to the app's identity, or ask its tenant to",
        status=frozenset({403}),
        at=frozenset({Place.WORKSPACE}),
    ),
    Row(
        cause="the app's identity has no role on the subscriber's storage",
        code="forbidden",
        owner=Owner.PROVIDER,
        remedy="assign Storage Blob Data Contributor on the container of the workspace's storage to the app's identity",
        status=frozenset({403}),
        at=frozenset({Place.STORAGE}),
    ),
)
