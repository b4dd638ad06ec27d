"""The one table of all that Azure can answer, in the order in which its rows are tried: the first that recognises an error decides.

What passes by itself comes first, then the causes that Azure names by code or in words, then what only a status tells, or a class.
An error is of all its classes: a row that names a subclass comes before one that names its parent.
"""

from shared.azure.error_row import Evidence, Row
from shared.azure.error_rows.access import ROLES, TENANCY
from shared.azure.error_rows.assets import ASSETS
from shared.azure.error_rows.deployments import DEPLOYMENTS
from shared.azure.error_rows.leftovers import BY_CLASS, BY_STATUS, OF_THE_ML_SDK, UNKNOWN
from shared.azure.error_rows.limits import LIMITS
from shared.azure.error_rows.networks import NETWORKS, STORAGE
from shared.azure.error_rows.waits import LATE_WAITS, WAITS

CAUSES = (*TENANCY, *NETWORKS, *STORAGE, *ASSETS, *LIMITS, *DEPLOYMENTS, *ROLES)

TABLE: tuple[Row, ...] = (*WAITS, *CAUSES, *LATE_WAITS, *BY_STATUS, *BY_CLASS, *OF_THE_ML_SDK, UNKNOWN)

NAMED_CLASSES = frozenset[str]().union(*(row.classes for row in TABLE))


def row_of(seen: Evidence) -> Row:
    return next(row for row in TABLE if row.recognises(seen))
