"""Invoices: what a customer owes for a period, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from monigo.core.ids import (
    CustomerId,
    InvoiceId,
    LineItemId,
    MetricId,
    PriceId,
    SubscriptionId,
)
from monigo.core.periods import Period
from monigo.core.pricing import Charge


class InvoiceKind(StrEnum):
    """What brought the invoice about."""

    INTERIM = "interim"
    CLOSING = "closing"
    SUPPLEMENTARY = "supplementary"


class InvoiceStatus(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    FINALIZED = "finalized"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class LineKind(StrEnum):
    """What a line charges for: usage at a price, or a credit carried between invoices."""

    USAGE = "usage"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Billed:
    """What live invoices have charged already for one price, period and group value."""

    quantity: Decimal
    amount: Decimal


NOTHING_BILLED = Billed(Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class PricedUsage:
    """A price and the whole usage of a period under it; `groups` splits the quantity, if at all."""

    price_id: PriceId
    metric_id: MetricId
    description: str
    charge: Charge
    revision: int
    quantity: Decimal
    event_count: int
    groups: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])


# By price, and within it by group value: "" where the metric does not group.
BilledGroups = Mapping[PriceId, Mapping[str, Billed]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `quantity` and `amount` are what it bills; the cumulative ones only explain.

    `group_value` is the value of the metric's `group_by` that it bills; empty where there is none.
    """

    kind: LineKind
    price_id: PriceId | None
    metric_id: MetricId | None
    period: Period
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    cumulative_quantity: Decimal
    cumulative_amount: Decimal
    price_revision: int | None
    group_value: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """An invoice's sums: lines, tax on them, and both."""

    subtotal: Decimal
    vat_enabled: bool
    vat_rate: Decimal
    vat_amount: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line with its identity."""

    id: LineItemId
    invoice_id: InvoiceId
    line: Line
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as stored. A draft has no number yet."""

    id: InvoiceId
    customer_id: CustomerId
    subscription_id: SubscriptionId
    kind: InvoiceKind
    status: InvoiceStatus
    number: int | None
    currency: str
    totals: Totals
    period: Period
    lines: tuple[StoredLine, ...]
    created_at: datetime
    updated_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    due_date: datetime | None


@dataclass(frozen=True, slots=True)
class PriceChange:
    """What a change of usage does to one price's amount in a subscription's running period."""

    subscription_id: SubscriptionId
    price_id: PriceId
    currency: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """Which invoices to list; None means any."""

    customer: str | None = None
    status: InvoiceStatus | None = None
