"""Built-in roles as MicrosoftDocs/azure-docs `role-based-access-control/built-in-roles/` has them: some that Fanout can have."""

from infra.local.resource_manager.surroundings import CustomRole, Permissions

_ML = "Microsoft.MachineLearningServices"
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_DELEGATES = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"

BUILT_IN = (
    CustomRole(
        id="f6c7c914-8db3-469d-8ca1-694a8f32e121",
        name="AzureML Data Scientist",
        permissions=(
            Permissions(
                actions=tuple(f"{_ML}/workspaces/*/{verb}" for verb in ("read", "action", "delete", "write")),
                not_actions=tuple(
                    f"{_ML}/workspaces/{denied}"
                    for denied in (
                        "delete",
                        "write",
                        "computes/*/write",
                        "computes/*/delete",
                        "computes/listKeys/action",
                        "listKeys/action",
                        "hubs/write",
                        "hubs/delete",
                        "featurestores/write",
                        "featurestores/delete",
                    )
                ),
            ),
        ),
    ),
    CustomRole(
        id="1823dd4f-9b8c-4ab6-ab4e-7397a3684615",
        name="AzureML Registry User",
        permissions=(Permissions(actions=(f"{_ML}/registries/read", f"{_ML}/registries/assets/*")),),
    ),
    CustomRole(
        id="acdd72a7-3385-48ef-bd42-f606fba81ae7",
        name="Reader",
        permissions=(Permissions(actions=("*/read",)),),
    ),
    CustomRole(
        id="b24988ac-6180-42a0-ab88-20f7382dd24c",
        name="Contributor",
        permissions=(
            Permissions(
                actions=("*",),
                not_actions=(
                    "Microsoft.Authorization/*/Delete",
                    "Microsoft.Authorization/*/Write",
                    "Microsoft.Authorization/elevateAccess/Action",
                    "Microsoft.Blueprint/blueprintAssignments/write",
                    "Microsoft.Blueprint/blueprintAssignments/delete",
                    "Microsoft.Compute/galleries/share/action",
                ),
            ),
        ),
    ),
    CustomRole(
        id="ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        name="Storage Blob Data Contributor",
        permissions=(
            Permissions(
                actions=(*(f"{_CONTAINERS}/{verb}" for verb in ("delete", "read", "write")), _DELEGATES),
                data_actions=tuple(
                    f"{_CONTAINERS}/blobs/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")
                ),
            ),
        ),
    ),
    CustomRole(
        id="2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        name="Storage Blob Data Reader",
        permissions=(Permissions(actions=(f"{_CONTAINERS}/read", _DELEGATES), data_actions=(f"{_CONTAINERS}/blobs/read",)),),
    ),
)
