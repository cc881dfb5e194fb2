"""The shapes of what events are about, as receivers are promised them.

Amounts are texts with six decimals. A field is added with a new meaning, and never changes its own
within a version (`VERSION`).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

Instant = Annotated[datetime, Meta(tz=True)]
Money = Annotated[str, Meta(pattern=r"^-?\d+\.\d{6}$", examples=["1500.000000"])]


class InvoiceShape(Struct, frozen=True):
    """An invoice as the event left it; lines are read by the API."""

    id: UUID
    number: str
    status: str
    kind: str
    customer_id: UUID
    subscription_id: UUID
    currency: str
    total: Money
    amount_paid: Money
    amount_due: Money
    period_start: Instant
    period_end: Instant


class OverdueShape(Struct, frozen=True):
    """An invoice that is unpaid after its due date, and which reminder this is."""

    id: UUID
    customer_id: UUID
    currency: str
    amount_due: Money
    due_date: Instant
    reminder: int


class PayoutShape(Struct, frozen=True):
    """Money sent to a payee for a bill, or not."""

    id: UUID
    bill_id: UUID
    customer_id: UUID
    currency: str
    amount: Money
    provider: str
    reference: str
    error_code: str | None
    error_message: str | None


class SubscriptionShape(Struct, frozen=True):
    """A subscription as the event left it."""

    id: UUID
    customer_id: UUID
    plan_id: UUID
    status: str


class TopUpShape(Struct, frozen=True):
    """Money that a wallet's rule asks for."""

    id: UUID
    wallet_id: UUID
    customer_id: UUID
    currency: str
    amount: Money
    status: str
    wallet_balance: Money
    created_at: Instant


class PaymentShape(Struct, frozen=True):
    """Money that came in; null is what it was not asked for."""

    id: UUID
    transaction_id: UUID | None
    status: str
    purpose: str
    customer_id: UUID
    invoice_id: UUID | None
    wallet_id: UUID | None
    provider: str
    provider_transaction_id: str
    reference: str
    currency: str
    amount: Money
    fee: Money


class FailedPaymentShape(Struct, frozen=True):
    """A charge that brought no money, and why."""

    transaction_id: UUID
    status: str
    purpose: str
    customer_id: UUID
    invoice_id: UUID | None
    wallet_id: UUID | None
    provider: str
    payment_method_id: UUID | None
    reference: str
    currency: str
    amount: Money
    error_code: str
    error_message: str


class PaymentMethodShape(Struct, frozen=True):
    """A saved card."""

    id: UUID
    customer_id: UUID
    provider: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool


class AlertThreshold(Struct, frozen=True):
    """What was reached, and what the merchant calls it."""

    value: str
    label: str


class AlertShape(Struct, frozen=True):
    """A threshold that was reached, once for a subscription or customer and period."""

    id: UUID
    alert_id: UUID
    type: str
    scope: str
    scope_id: UUID
    customer_id: UUID
    subscription_id: UUID | None
    wallet_id: UUID | None
    metric_id: UUID | None
    currency: str
    threshold: AlertThreshold
    value: str
    status: str
    period_start: Instant | None
    period_end: Instant | None


class UsageOfMetric(Struct, frozen=True):
    """What a metric measured in the period."""

    metric_id: UUID
    name: str
    aggregation: str
    value: str
    event_count: int
    customers: int


class UsageShape(Struct, frozen=True):
    """Usage of a day, week or month, of a customer or (null) of all together."""

    id: UUID
    customer_id: UUID | None
    period_start: Instant
    period_end: Instant
    metrics: list[UsageOfMetric]
