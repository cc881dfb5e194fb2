"""Attribution: what events are worth by payout rules, to customers whom they name."""

from monigo.metering.attribution.service import of_batches, of_customers
from monigo.metering.attribution.store import has_rules
from monigo.metering.attribution.types import Amounts
from monigo.metering.attribution.verification import verify

__all__ = ["Amounts", "has_rules", "of_batches", "of_customers", "verify"]
