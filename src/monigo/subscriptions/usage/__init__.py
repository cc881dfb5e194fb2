"""Usage by billing period: of each customer and metric, over metering's sums."""

from monigo.subscriptions.usage.service import read_usage
from monigo.subscriptions.usage.types import UsageFilter, UsageRollup

__all__ = ["UsageFilter", "UsageRollup", "read_usage"]
