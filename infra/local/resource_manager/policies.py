"""Azure Policy's check of a resource that does not exist yet (policyinsights 2022-03-01, `checkPolicyRestrictions.json`)."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.errors import AzureError
from infra.local.resource_manager.requests import GROUP, demand_version, known_subscription
from infra.local.resource_manager.surroundings import Policy

API = "2022-03-01"


class Policies:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{GROUP}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions", self._check)]

    async def _check(self, request: web.Request) -> web.Response:
        """A read, by its action. The scope of what is checked lies in the resource group, or is the group."""
        asked = await request.json()
        demand_version(request, API)
        subscription = known_subscription(request, self._cloud)
        group = f"/subscriptions/{subscription}/resourceGroups/{request.match_info['group']}"
        caller_of(request).demand(group, write=False)
        details = asked.get("resourceDetails") if isinstance(asked, dict) else None
        details = details if isinstance(details, dict) else {}
        content = details.get("resourceContent")
        if not isinstance(content, dict) or not isinstance(content.get("type"), str):
            raise AzureError(400, "InvalidRequestContent", "The property 'resourceDetails.resourceContent.type' is required.")
        scope = str(details.get("scope") or group)
        denying = [each for each in self._cloud.around.now.policies if _denies(each, content["type"], scope)]
        evaluations = [_evaluation(each, content["type"]) for each in denying]
        return web.json_response({"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": evaluations}})


def _denies(policy: Policy, resource_type: str, scope: str) -> bool:
    return policy.type.lower() == resource_type.lower() and f"{scope.lower()}/".startswith(f"{policy.scope.lower()}/")


def _evaluation(policy: Policy, resource_type: str) -> dict[str, Any]:
    place = "/".join(policy.scope.split("/")[:3])
    return {
        "policyInfo": {
            "policyDefinitionId": f"{place}/providers/Microsoft.Authorization/policyDefinitions/{policy.name}",
            "policyAssignmentId": f"{policy.scope}/providers/Microsoft.Authorization/policyAssignments/{policy.name}",
        },
        "evaluationResult": "NonCompliant",
        "evaluationDetails": {
            "evaluatedExpressions": [
                {
                    "result": "True",
                    "expressionKind": "field",
                    "expression": "type",
                    "path": "type",
                    "expressionValue": resource_type,
                    "targetValue": policy.type,
                    "operator": "equals",
                }
            ]
        },
    }
