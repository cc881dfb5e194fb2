"""The facts of alerts. What happens to a threshold that was reached happens to its alert."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from monigo.alerts.types import AlertScope, AlertState, AlertType, StateStatus, amount_text
from monigo.core.ids import (
    AlertId,
    AlertStateId,
    CustomerId,
    MetricId,
    SubscriptionId,
    WalletId,
)
from monigo.infra.outbox import Fact


class AlertFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a threshold that was reached."""

    subject = "alert"
    subject_field = "alert_id"
    alert_id: AlertId
    state_id: AlertStateId
    type: AlertType
    scope: AlertScope
    scope_id: UUID
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    wallet_id: WalletId | None
    metric_id: MetricId | None
    currency: str
    threshold: Decimal
    label: str
    value: Decimal
    period_start: datetime | None
    period_end: datetime | None
    status: StateStatus

    @property
    def threshold_text(self) -> str:
        """The threshold as it is shown."""
        return amount_text(self.type, self.threshold)

    @property
    def value_text(self) -> str:
        """What was found, as it is shown."""
        return amount_text(self.type, self.value)


class AlertTriggered(AlertFact, frozen=True, kw_only=True):
    """A threshold was reached."""


class AlertAcknowledged(AlertFact, frozen=True, kw_only=True):
    """Somebody has seen it."""


Reported = TypeVar("Reported", bound=AlertFact)


def triggered(state: AlertState) -> AlertTriggered:
    """The fact of a new state."""
    return _fact(AlertTriggered, state)


def acknowledged(state: AlertState) -> AlertAcknowledged:
    """The fact of an acknowledged state."""
    return _fact(AlertAcknowledged, state)


def _fact(fact_type: type[Reported], state: AlertState) -> Reported:
    return fact_type(
        alert_id=state.alert_id,
        state_id=state.id,
        type=state.type,
        scope=state.scope,
        scope_id=state.scope_id,
        customer_id=state.customer_id,
        subscription_id=state.subscription_id,
        wallet_id=state.wallet_id,
        metric_id=state.metric_id,
        currency=state.currency,
        threshold=state.threshold.value,
        label=state.threshold.label,
        value=state.value,
        period_start=state.period and state.period.start,
        period_end=state.period and state.period.end,
        status=StateStatus.TRIGGERED if fact_type is AlertTriggered else StateStatus.ACKNOWLEDGED,
    )
