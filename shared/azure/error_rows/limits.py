"""What an Azure subscription has no room for, or does not allow: quotas, capacity, policies, locks, registrations.

Sources: Azure ML's "troubleshoot online endpoints" (OutOfQuota and its causes) and "manage quotas", Resource Manager's "common
deployment errors"; azure-docs#101942 for a quota that is refused at once.
"""

from shared.azure.error_row import Place, Row, codes, says
from shared.errors import Owner

BY_REGISTRY = frozenset({Place.SHARE, Place.REGISTRY})
QUOTA = codes("OutOfQuota", "QuotaExceeded", "ResourceQuotaExceeded", "OperationNotAllowed", "BadRequest", "BadArgument")

LIMITS = (
    Row(
        cause="no more role assignments fit into the Azure subscription: each endpoint's identity needs two",
        code="out_of_quota",
        owner=Owner.SUBSCRIBER,
        remedy="delete unused role assignments of the Azure subscription (4,000 fit), and assign roles to groups",
        codes=codes("RoleAssignmentLimitExceeded"),
    ),
    Row(
        cause="no more role assignments fit into the Azure subscription, said in words",
        code="out_of_quota",
        owner=Owner.SUBSCRIBER,
        remedy="delete unused role assignments of the Azure subscription (4,000 fit), and assign roles to groups",
        codes=QUOTA,
        says=says(
            "role assignments? (limit|quota)", "(limit|quota|number) (of|for) role assignments", "maximum .{0,40}role assignments"
        ),
    ),
    Row(
        cause="no more endpoints or deployments fit into the Azure subscription and region",
        code="out_of_quota",
        owner=Owner.SUBSCRIBER,
        remedy="delete unused endpoints or deployments (a region takes 100 and 500), or ask for a higher limit",
        codes=QUOTA,
        says=says(
            r"(limit|quota|maximum number) (of|for) .{0,40}(endpoints|deployments)",
            r"(endpoints?|deployments?) (limit|quota|count)\b",
        ),
    ),
    Row(
        cause="the region has no machines of this kind left for Azure ML",
        code="out_of_capacity",
        owner=Owner.SUBSCRIBER,
        remedy="choose another instance type, or retry the delivery later",
        codes=codes("OutOfCapacity", "AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest"),
    ),
    Row(
        cause="the region has no machines of this kind left, said as a quota",
        code="out_of_capacity",
        owner=Owner.SUBSCRIBER,
        remedy="choose another instance type, or retry the delivery later",
        codes=QUOTA,
        says=says("(lack of|not enough|insufficient|no) .{0,60}capacity", "capacity .{0,60}region"),
    ),
    Row(
        cause="the model does not fit into the disk or the memory of the machine",
        code="instance_too_small",
        owner=Owner.SUBSCRIBER,
        remedy="set instance_type in the subscription to one with more disk and memory",
        codes=codes("OutOfQuota", "BadArgument", "ResourceNotReady", "PodOutOfMemory"),
        says=says("(disk|memory)( space)? (quota|limit|is (full|exhausted))", "out of (memory|disk)", "no space left", "OOMKilled"),
    ),
    Row(
        cause="the Azure subscription's core quota is used up",
        code="out_of_quota",
        owner=Owner.SUBSCRIBER,
        remedy="raise the core quota of the Azure subscription, or ask for fewer instances",
        codes=codes("OutOfQuota"),
    ),
    Row(
        cause="a quota of the Azure subscription is used up",
        code="out_of_quota",
        owner=Owner.SUBSCRIBER,
        remedy="raise the quota of the Azure subscription, or remove endpoints",
        codes=codes("QuotaExceeded", "ResourceQuotaExceeded"),
    ),
    Row(
        cause="the core quota is used up, said when the deployment is asked for",
        code="out_of_quota",
        owner=Owner.SUBSCRIBER,
        remedy="raise the core quota of the Azure subscription, or ask for fewer instances",
        codes=QUOTA,
        says=says("not enough quota", "does not have enough quota", "exceed.{0,60}quota", "error-outofquota"),
    ),
    Row(
        cause="the region or the Azure subscription does not offer that instance type",
        code="instance_type_refused",
        owner=Owner.SUBSCRIBER,
        remedy="set instance_type in the subscription to one that az vm list-skus shows for the workspace's region",
        codes=codes("SkuNotAvailable", "InvalidVmSize", "VmSizeNotSupported", "RegionDoesNotAllowProvisioning"),
    ),
    Row(
        cause="an instance type that Azure ML does not know or offer, said in words",
        code="instance_type_refused",
        owner=Owner.SUBSCRIBER,
        remedy="set instance_type in the subscription to one that az vm list-skus shows for the workspace's region",
        codes=codes("BadRequest", "BadArgument", "UserError", "NotSupported"),
        says=says("(instance type|instance_type|vm size|vmsize|sku) .{0,60}(not supported|not available|not allowed|invalid)"),
    ),
    Row(
        cause="an Azure policy denies it to the registry",
        code="denied_by_policy",
        owner=Owner.PROVIDER,
        remedy="exempt the registry from the Azure policy that is named",
        codes=codes("RequestDisallowedByPolicy", "PolicyViolation"),
        at=BY_REGISTRY,
    ),
    Row(
        cause="an Azure policy denies it, or cannot be evaluated",
        code="denied_by_policy",
        owner=Owner.SUBSCRIBER,
        remedy="exempt the workspace from the Azure policy that is named",
        codes=codes("RequestDisallowedByPolicy", "PolicyViolation", "InvalidTemplateFunctionSpecification"),
    ),
    Row(
        cause="an Azure policy denies it, said in words by an operation",
        code="denied_by_policy",
        owner=Owner.SUBSCRIBER,
        remedy="exempt the workspace from the Azure policy that is named",
        says=says("disallowed by policy", "invalid template function"),
    ),
    Row(
        cause="a lock protects the registry",
        code="locked",
        owner=Owner.PROVIDER,
        remedy="delete the lock that Azure names (az lock delete)",
        codes=codes("ScopeLocked"),
        at=BY_REGISTRY,
    ),
    Row(
        cause="a lock protects the workspace",
        code="locked",
        owner=Owner.SUBSCRIBER,
        remedy="delete the lock that Azure names (az lock delete)",
        codes=codes("ScopeLocked"),
    ),
    Row(
        cause="the Azure subscription is disabled: spent, unpaid or cancelled",
        code="azure_subscription_disabled",
        owner=Owner.SUBSCRIBER,
        remedy="enable the Azure subscription again (portal: Subscriptions, Reactivate)",
        codes=codes("ReadOnlyDisabledSubscription", "DisabledSubscription", "SubscriptionDisabled", "InvalidSubscriptionState"),
    ),
    Row(
        cause="the Azure subscription does not know the resource provider",
        code="provider_not_registered",
        owner=Owner.SUBSCRIBER,
        remedy="run az provider register --namespace Microsoft.MachineLearningServices, or the one that Azure names",
        codes=codes(
            "MissingSubscriptionRegistration",
            "SubscriptionNotRegistered",
            "NoRegisteredProviderFound",
            "MissingRegistrationForLocation",
            "InvalidSubscriptionRegistrationState",
        ),
    ),
)
