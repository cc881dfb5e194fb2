"""Alerts on the wire."""

from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from monigo.alerts import (
    Alert,
    AlertScope,
    AlertState,
    AlertStatus,
    AlertType,
    StateStatus,
    Summary,
    Threshold,
    amount_text,
)
from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing, Quantity
from monigo.api.merchant.prices.schemas import ID_EXAMPLE
from monigo.core.ids import (
    AlertId,
    AlertStateId,
    CustomerId,
    MetricId,
    OrganizationId,
    SubscriptionId,
    WalletId,
)
from monigo.core.money import QUANTITY_PLACES, parse_decimal
from monigo.infra.db import Transaction


def _value(value: object) -> Decimal:
    return parse_decimal(value, places=QUANTITY_PLACES)


ThresholdValue = Annotated[
    Decimal,
    BeforeValidator(_value),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?$"}, {"type": "number"}]}
    ),
]


class ThresholdIn(Incoming):
    """An absolute value to be reached."""

    value: ThresholdValue = Field(examples=["1000"])
    label: Name | None = Field(default=None, examples=["80 %"])


class ThresholdsIn(Incoming):
    """Other thresholds, in place of all that there are."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"thresholds": [{"value": "1000", "label": "all"}]}]}
    )

    thresholds: list[ThresholdIn] = Field(
        description="rising; of wallet_balance_dropped falling; 1 to 20"
    )

    def read(self) -> tuple[Threshold, ...]:
        """The thresholds in their order."""
        return tuple(Threshold(one.value, one.label or "") for one in self.thresholds)


class AlertIn(ThresholdsIn):
    """What is to be watched, and of whom."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "usage_exceeded",
                    "scope": "customer",
                    "scope_id": "driver-42",
                    "metric_id": ID_EXAMPLE,
                    "thresholds": [
                        {"value": "800", "label": "80 %"},
                        {"value": "1000", "label": "all"},
                    ],
                }
            ]
        }
    )

    type: AlertType
    scope: AlertScope
    scope_id: Name = Field(
        description="id of the plan, the subscription or the customer; of a customer also its"
        " external_id",
        examples=["driver-42"],
    )
    metric_id: Name | None = Field(default=None, description="of usage_exceeded: required")
    currency: Name | None = Field(
        default=None,
        description="of cost_exceeded: unset, the plan's; of wallet_balance_dropped: unset, any",
    )
    require_acknowledgment: bool | None = None


class ThresholdOut(Outgoing, frozen=True):
    """An absolute value to be reached, and its name."""

    value: Quantity
    label: str

    @classmethod
    def of(cls, alert_type: AlertType, threshold: Threshold) -> Self:
        """The wire form."""
        return cls(value=amount_text(alert_type, threshold.value), label=threshold.label)


class AlertOut(Outgoing, frozen=True):
    """An alert."""

    id: AlertId
    org_id: OrganizationId
    type: AlertType
    scope: AlertScope
    scope_id: UUID
    metric_id: MetricId | None
    currency: str
    thresholds: list[ThresholdOut]
    require_acknowledgment: bool
    is_enabled: bool
    status: Annotated[
        AlertStatus, Meta(description="triggered: something that was reached is open")
    ]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, alert: Alert) -> Self:
        """The wire form."""
        return cls(
            id=alert.id,
            org_id=tx.org_id,
            type=alert.type,
            scope=alert.scope,
            scope_id=alert.scope_id,
            metric_id=alert.metric_id,
            currency=alert.currency,
            thresholds=[ThresholdOut.of(alert.type, one) for one in alert.thresholds],
            require_acknowledgment=alert.require_acknowledgment,
            is_enabled=alert.is_enabled,
            status=alert.status,
            created_at=alert.created_at,
            updated_at=alert.updated_at,
        )


class AlertEnvelope(Outgoing, frozen=True):
    """One alert."""

    alert: AlertOut


class AlertList(ListEnvelope, frozen=True):
    """Alerts, newest first."""

    alerts: list[AlertOut]


class AlertStateOut(Outgoing, frozen=True):
    """A threshold that was reached, in a subscription's period or by a wallet's balance."""

    id: AlertStateId
    org_id: OrganizationId
    alert_id: AlertId
    type: AlertType
    scope: AlertScope
    scope_id: UUID
    metric_id: MetricId | None
    currency: str
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    wallet_id: WalletId | None
    period_start: Instant | None
    period_end: Instant | None
    threshold: ThresholdOut
    value: Annotated[Quantity, Meta(description="the usage, cost or balance that was found")]
    status: Annotated[
        StateStatus,
        Meta(
            description="resolved: over, as its period is, or the balance back; not where an"
            " acknowledgment is required"
        ),
    ]
    triggered_at: Instant
    acknowledged_at: Instant | None
    acknowledged_by: str
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, state: AlertState) -> Self:
        """The wire form."""
        return cls(
            id=state.id,
            org_id=tx.org_id,
            alert_id=state.alert_id,
            type=state.type,
            scope=state.scope,
            scope_id=state.scope_id,
            metric_id=state.metric_id,
            currency=state.currency,
            customer_id=state.customer_id,
            subscription_id=state.subscription_id,
            wallet_id=state.wallet_id,
            period_start=state.period and state.period.start,
            period_end=state.period and state.period.end,
            threshold=ThresholdOut.of(state.type, state.threshold),
            value=amount_text(state.type, state.value),
            status=state.status,
            triggered_at=state.triggered_at,
            acknowledged_at=state.acknowledged_at,
            acknowledged_by=state.acknowledged_by,
            created_at=state.triggered_at,
            updated_at=state.updated_at,
        )


class AlertStateEnvelope(Outgoing, frozen=True):
    """One threshold that was reached."""

    state: AlertStateOut


class AlertStateList(ListEnvelope, frozen=True):
    """Thresholds that were reached, newest first."""

    states: list[AlertStateOut]


class AlertSummaryOut(Outgoing, frozen=True):
    """How many thresholds were reached, by where they stand; of those triggered, by type."""

    total: int
    triggered: int
    acknowledged: int
    resolved: int
    triggered_by_type: dict[str, int]

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """The wire form."""
        counts = summary.by_status
        return cls(
            total=sum(counts.values()),
            triggered=counts[StateStatus.TRIGGERED],
            acknowledged=counts[StateStatus.ACKNOWLEDGED],
            resolved=counts[StateStatus.RESOLVED],
            triggered_by_type={one.value: n for one, n in summary.triggered_by_type.items()},
        )


class AlertSummaryEnvelope(Outgoing, frozen=True):
    """The summary of what was reached."""

    summary: AlertSummaryOut
