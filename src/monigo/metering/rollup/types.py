"""What rebuilding buckets changed."""

from decimal import Decimal

from msgspec import Struct

from monigo.catalog import Metric
from monigo.core.ids import CustomerId


class UsageChange(Struct, frozen=True):
    """What a replay would change: one customer's usage by one metric over the whole window."""

    customer_id: CustomerId
    metric: Metric
    before: Decimal
    after: Decimal
