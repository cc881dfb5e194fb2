"""Alerts, their thresholds, and which of these were reached."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import (
    AlertId,
    AlertStateId,
    CustomerId,
    MetricId,
    SubscriptionId,
    WalletId,
)
from monigo.core.money import format_decimal, format_money
from monigo.core.periods import Period


class AlertType(StrEnum):
    """What an alert watches."""

    USAGE_EXCEEDED = "usage_exceeded"
    COST_EXCEEDED = "cost_exceeded"
    WALLET_BALANCE_DROPPED = "wallet_balance_dropped"


class AlertScope(StrEnum):
    """Whose usage, cost or balance an alert watches: each subscription on its own."""

    PLAN = "plan"
    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"


class AlertStatus(StrEnum):
    """Where an alert stands: `triggered` while a threshold that was reached is open."""

    ACTIVE = "active"
    TRIGGERED = "triggered"
    DISABLED = "disabled"


class StateStatus(StrEnum):
    """Where a threshold that was reached stands.

    `resolved` is one that nobody has to acknowledge, once its period is over or the balance back.
    """

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Threshold(Struct, frozen=True):
    """An absolute value, and what the merchant calls it."""

    value: Decimal
    label: str


class NewAlert(Struct, frozen=True):
    """What the merchant asks for; a customer may be named by its external id."""

    type: AlertType
    scope: AlertScope
    scope_id: str
    metric_id: str
    currency: str
    thresholds: tuple[Threshold, ...]
    require_acknowledgment: bool


class Alert(Struct, frozen=True):
    """An alert as stored. Its thresholds are in the order in which they are reached.

    `currency` is empty for usage, and for balances of wallets in any currency. `armed_at` is when
    it was made or last enabled: periods that had ended by then don't count.
    """

    id: AlertId
    type: AlertType
    scope: AlertScope
    scope_id: UUID
    metric_id: MetricId | None
    currency: str
    thresholds: tuple[Threshold, ...]
    require_acknowledgment: bool
    is_enabled: bool
    status: AlertStatus
    armed_at: datetime
    created_at: datetime
    updated_at: datetime


class AlertState(Struct, frozen=True):
    """A threshold that was reached, and by what: of a subscription's period, or of a wallet.

    `value` is the usage, cost or balance that was found; `currency` is the wallet's own, where the
    alert is of wallets.
    """

    id: AlertStateId
    alert_id: AlertId
    type: AlertType
    scope: AlertScope
    scope_id: UUID
    metric_id: MetricId | None
    currency: str
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    period: Period | None
    wallet_id: WalletId | None
    threshold: Threshold
    value: Decimal
    status: StateStatus
    triggered_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    updated_at: datetime


class AlertFilter(Struct, frozen=True):
    """Which alerts to list; None means any."""

    type: AlertType | None = None
    scope: AlertScope | None = None
    customer: str | None = None
    subscription: str | None = None
    plan: str | None = None


class StateFilter(Struct, frozen=True):
    """Which reached thresholds to list: reached in `[start, end)`; None means any."""

    type: AlertType | None = None
    customer: str | None = None
    status: StateStatus | None = None
    start: datetime | None = None
    end: datetime | None = None


class Summary(Struct, frozen=True):
    """How many reached thresholds are in which status; of those triggered how many of a type."""

    by_status: dict[StateStatus, int]
    triggered_by_type: dict[AlertType, int]


class Reached(Struct, frozen=True):
    """A threshold that a look has found to be reached; the database decides if it is the first."""

    alert: Alert
    threshold: Threshold
    value: Decimal
    currency: str
    customer_id: CustomerId
    subscription_id: SubscriptionId | None = None
    period: Period | None = None
    wallet_id: WalletId | None = None


def amount_text(alert_type: AlertType, value: Decimal) -> str:
    """A threshold, or what was found, as it is shown: money with six places, usage as it is."""
    return format_decimal(value) if alert_type is AlertType.USAGE_EXCEEDED else format_money(value)
