"""What payout rules came to that no bill has."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import CustomerId, MetricId, PlanId, PriceId


class UnmatchedReason(StrEnum):
    """Why events pay nobody by a rule: whom they name, or what they hold."""

    UNKNOWN_RECIPIENT = "unknown_recipient"
    RECIPIENT_MISSING = "recipient_missing"
    NO_SUBSCRIPTION = "no_subscription"
    PROPERTY_MISSING = "property_missing"
    NOT_A_NUMBER = "not_a_number"
    DIVISION_BY_ZERO = "division_by_zero"
    TOO_LARGE = "too_large"


class Unmatched(Struct, frozen=True):
    """Events of a rule that pay nobody yet for one reason, to one recipient.

    `customer_id` is the recipient's where it is a customer; else `recipient` is what events say.
    """

    rule_id: PriceId
    plan_id: PlanId
    metric_id: MetricId
    reason: UnmatchedReason
    recipient: str
    customer_id: CustomerId | None
    currency: str
    amount: Decimal
    event_count: int
    first_event_at: datetime
    last_event_at: datetime
    last_event_key: str
