"""ARM's throttling: a token bucket per region, Azure subscription, principal and kind of operation.

The header tells what is left; an empty bucket answers 429 with Retry-After. Buckets are full again after a restart.
"""

import math
import time
from dataclasses import dataclass

from infra.local.azure_ml.config import Bucket, Limits
from infra.local.azure_ml.errors import AzureError


@dataclass(slots=True)
class _Level:
    tokens: float
    at: float


class Throttle:
    def __init__(self, limits: Limits) -> None:
        self._buckets: dict[str, Bucket] = {"reads": limits.reads, "writes": limits.writes, "deletes": limits.deletes}
        self._levels: dict[tuple[str, str, str, str], _Level] = {}

    def take(self, region: str, subscription: str, principal: str, method: str) -> dict[str, str]:
        """Take one token; the headers of the answer. Raises AzureError 429 when the bucket is empty."""
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        bucket, now = self._buckets[kind], time.monotonic()
        key = (region.lower(), subscription.lower(), principal, kind)
        level = self._levels.setdefault(key, _Level(bucket.size, now))
        level.tokens = min(bucket.size, level.tokens + (now - level.at) * bucket.refill)
        level.at = now
        header = f"x-ms-ratelimit-remaining-subscription-{kind}"
        if level.tokens < 1:
            seconds = max(1, math.ceil((1 - level.tokens) / bucket.refill))
            message = (
                f"Number of {kind} for subscription '{subscription}' and principal '{principal}' exceeded the limit. "
                f"Please try again after '{seconds}' seconds."
            )
            headers = {"Retry-After": str(seconds), header: "0"}
            raise AzureError(429, "SubscriptionRequestsThrottled", message, headers=headers)
        level.tokens -= 1
        return {header: str(int(level.tokens))}
