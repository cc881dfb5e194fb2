"""Usage: exact readings of windows, and series of points over time."""

from monigo.metering.usage.points import Granularity
from monigo.metering.usage.series import read_series
from monigo.metering.usage.service import (
    has_emptied_events,
    late_from,
    list_activity,
    measure,
)
from monigo.metering.usage.types import (
    CustomerActivity,
    LateQuery,
    Series,
    SeriesPoint,
    SeriesRequest,
    Usage,
    UsageQuery,
)

__all__ = [
    "CustomerActivity",
    "Granularity",
    "LateQuery",
    "Series",
    "SeriesPoint",
    "SeriesRequest",
    "Usage",
    "UsageQuery",
    "has_emptied_events",
    "late_from",
    "list_activity",
    "measure",
    "read_series",
]
