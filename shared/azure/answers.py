"""What Azure's answers tell beside their content: that it answers at all, and how many calls it still allows."""

import re
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared import fairness
from shared.budgets import REFILL, Budget

# ARM's own addresses: a registry's have a path before it, and buckets of their own.
_OF_ARM = re.compile(r"https?://[^/]+/subscriptions/(?P<subscription>[^/?]+)")
_NO_ANSWERS = (408, 429)


class NoteAnswers(SansIOHTTPPolicy[Any, Any]):
    """To stand last, where it sees each answer before any other policy makes an exception of it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        answer = response.http_response
        if answer.status_code < 500 and answer.status_code not in _NO_ANSWERS:
            fairness.heard()
        address = _OF_ARM.match(request.http_request.url)
        if address:
            for calls in REFILL:
                left = answer.headers.get(f"x-ms-ratelimit-remaining-subscription-{calls}")
                if left and left.isdecimal():
                    self._budget.left(address["subscription"], calls, int(left))
