"""Digests: what was used in a day, a week or a month."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import CustomerId, MetricId


class Span(StrEnum):
    """How long a digest's period is: a day, a week from Monday, or a calendar month, all of UTC."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class MetricUsage(Struct, frozen=True):
    """What was used of a metric: by a customer, or by so many customers together."""

    metric_id: MetricId
    name: str
    aggregation: str
    quantity: Decimal
    event_count: int
    customers: int


class CustomerUsage(Struct, frozen=True):
    """What a customer used."""

    customer_id: CustomerId
    metrics: tuple[MetricUsage, ...]


class Progress(Struct, frozen=True):
    """How far a digest has come: up to this customer, or to its end."""

    after: CustomerId | None
    is_done: bool
