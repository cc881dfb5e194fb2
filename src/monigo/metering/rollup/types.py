"""What folding and rebuilding changed."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monigo.catalog import Metric
from monigo.core.ids import CustomerId


class UsageChange(Struct, frozen=True):
    """What a replay would change: one customer's usage by one metric over the whole window."""

    customer_id: CustomerId
    metric: Metric
    before: Decimal
    after: Decimal


class Watcher(StrEnum):
    """Who wants to know whose usage was folded: soon, or in a while."""

    USAGE = "usage"
    COST = "cost"


class TouchedUsage(Struct, frozen=True):
    """Whose usage changed by events of which name, and when the first of these happened."""

    customer_id: CustomerId
    event_name: str
    first_at: datetime
