"""Usage: exact readings of windows, and series of points over time."""

from monigo.metering.usage.points import Granularity
from monigo.metering.usage.series import read_series
from monigo.metering.usage.service import (
    late_from,
    list_activity,
    measure,
    misses_redacted_events,
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
    "late_from",
    "list_activity",
    "measure",
    "misses_redacted_events",
    "read_series",
]
