"""The alerts' queries, beside the lines that the app logs."""

import re
from collections.abc import Iterable, Iterator

from tests.bicep.deployment import Deployment, Resource


def wrong_queries(deployment: Deployment, lines: Iterable[str]) -> Iterator[str]:
    """What a query looks for and no line has; what its alert measures and the query does not answer."""
    said = list(lines)
    for alert in deployment.of("Microsoft.Insights/scheduledQueryRules"):
        [condition] = alert.properties["criteria"]["allOf"]
        query, measured = condition["query"], condition["metricMeasureColumn"]
        for start in re.findall(r'Message startswith "(.+?)"', query):
            if not any(line.startswith(start) for line in said):
                yield f"{alert.name}: no line begins with {start!r}"
        for pattern in re.findall(r'extract\("(.+?)"', query):
            if not any(re.search(pattern, line) for line in said):
                yield f"{alert.name}: no line has {pattern!r}"
        if not re.search(rf"\b{measured} = ", query):
            yield f"{alert.name}: the query answers no {measured}"


def wrong_dimensions(deployment: Deployment) -> Iterator[str]:
    """Each queue has an alert for its dead letters."""
    queues = {queue.name for queue in deployment.of("Microsoft.ServiceBus/namespaces/queues")}
    watched = {name for alert in deployment.of("Microsoft.Insights/metricAlerts") for name in _entities(alert)}
    yield from (f"dead letters of {name} are seen by nobody" for name in sorted(queues - watched))
    yield from (f"there is no queue {name}" for name in sorted(watched - queues))


def _entities(alert: Resource) -> list[str]:
    dimensions = [dimension for each in alert.properties["criteria"]["allOf"] for dimension in each["dimensions"]]
    return [name for dimension in dimensions for name in dimension["values"] if dimension["name"] == "EntityName"]
