"""Usage by billing period."""

from datetime import datetime

from msgspec import Struct

from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.metering import Usage


class UsageRollup(Struct, frozen=True):
    """One customer's usage of one metric in one billing period.

    `billable` leaves out what was used while the subscription was paused.
    """

    customer_id: CustomerId
    metric_id: MetricId
    period: Period
    aggregation: str
    usage: Usage
    billable: Usage


class UsageFilter(Struct, frozen=True):
    """Which rollups to read: of whom, of what, with `period_start` in `[start, end)`."""

    customer: str | None
    metric: str | None
    start: datetime | None
    end: datetime | None
