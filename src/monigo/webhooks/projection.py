"""The projection: which facts are published as billing events, under which name and shape. Pure.

Ids, states and instants are left as they are: JSON has them as the API writes them, amounts not.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from monigo import alerts, collection, invoicing, reports, subscriptions, wallets
from monigo.core.errors import InvariantError
from monigo.core.money import format_decimal, format_money
from monigo.infra.db import Tenant
from monigo.infra.facts import Fact, Recorded
from monigo.payments import charges, methods, received, transfers
from monigo.payments.transfers import OwnCode
from monigo.webhooks.events import EventKept
from monigo.webhooks.shapes import (
    AlertShape,
    AlertThreshold,
    FailedPaymentShape,
    InvoiceShape,
    OverdueShape,
    PaymentMethodShape,
    PaymentShape,
    PayoutShape,
    SubscriptionShape,
    TopUpShape,
    UsageOfMetric,
    UsageShape,
)
from monigo.webhooks.types import VERSION, BillingEvent, EventType, WebhookBody

InvoiceFact = invoicing.events.InvoiceFact
SubscriptionFact = subscriptions.events.SubscriptionFact
SubscriptionPaused = subscriptions.events.SubscriptionPaused
TransferFact = transfers.events.TransferFact
TransferFailed = transfers.events.TransferFailed
WalletTopUpRequested = wallets.events.WalletTopUpRequested
PaymentReceived = received.events.PaymentReceived
ChargeFailed = charges.events.ChargeFailed
InvoiceOverdue = collection.events.InvoiceOverdue
UsageReported = reports.digests.events.UsageReported
CustomerUsageReported = reports.digests.events.CustomerUsageReported
AlertFact = alerts.events.AlertFact
MethodExpiryFact = methods.events.MethodExpiryFact

NAMES: Mapping[type[Fact], EventType] = {
    invoicing.events.InvoiceCreated: EventType.INVOICE_CREATED,
    invoicing.events.InvoiceFinalized: EventType.INVOICE_FINALIZED,
    invoicing.events.InvoicePaid: EventType.INVOICE_PAID,
    invoicing.events.InvoicePaymentFailed: EventType.INVOICE_PAYMENT_FAILED,
    invoicing.events.InvoiceVoided: EventType.INVOICE_VOIDED,
    transfers.events.TransferSucceeded: EventType.PAYOUT_SUCCESS,
    transfers.events.TransferFailed: EventType.PAYOUT_FAILED,
    transfers.events.TransferReversed: EventType.PAYOUT_REVERSED,
    subscriptions.events.SubscriptionCreated: EventType.SUBSCRIPTION_CREATED,
    subscriptions.events.SubscriptionPaused: EventType.SUBSCRIPTION_PAUSED,
    subscriptions.events.SubscriptionResumed: EventType.SUBSCRIPTION_RESUMED,
    subscriptions.events.SubscriptionCanceled: EventType.SUBSCRIPTION_CANCELED,
    subscriptions.events.SubscriptionSuspended: EventType.SUBSCRIPTION_SUSPENDED,
    wallets.events.WalletTopUpRequested: EventType.WALLET_TOP_UP_REQUESTED,
    received.events.PaymentReceived: EventType.PAYMENT_SUCCESS,
    charges.events.ChargeFailed: EventType.PAYMENT_FAILED,
    collection.events.InvoiceOverdue: EventType.INVOICE_OVERDUE,
    methods.events.PaymentMethodExpiring: EventType.PAYMENT_METHOD_EXPIRING,
    methods.events.PaymentMethodExpired: EventType.PAYMENT_METHOD_EXPIRED,
    alerts.events.AlertTriggered: EventType.ALERT_TRIGGERED,
    alerts.events.AlertAcknowledged: EventType.ALERT_ACKNOWLEDGED,
    reports.digests.events.UsageOfDay: EventType.USAGE_DAILY,
    reports.digests.events.UsageOfWeek: EventType.USAGE_WEEKLY,
    reports.digests.events.UsageOfMonth: EventType.USAGE_MONTHLY,
    reports.digests.events.CustomerUsageOfDay: EventType.CUSTOMER_USAGE_DAILY,
    reports.digests.events.CustomerUsageOfWeek: EventType.CUSTOMER_USAGE_WEEKLY,
    reports.digests.events.CustomerUsageOfMonth: EventType.CUSTOMER_USAGE_MONTHLY,
}

# Of all facts that are published, by the names under which they are stored.
TYPES: Mapping[str, type[Fact]] = {one.__name__: one for one in (*NAMES, EventKept)}


def project(recorded: Recorded) -> BillingEvent:
    """The billing event of a published fact.

    Raises:
        InvariantError: it is none.
    """
    fact, name = recorded.fact, public_name(recorded.fact)
    if name is None:
        raise InvariantError(f"{type(fact).__name__} is not published to merchants")
    return BillingEvent(recorded.id, name, _data(fact), recorded.occurred_at, recorded.position)


def public_name(fact: Fact) -> EventType | None:
    """The name under which a fact is published; None where it is not."""
    if isinstance(fact, EventKept):
        return fact.name
    if (
        isinstance(fact, SubscriptionPaused)
        and fact.reason is subscriptions.PauseReason.INSUFFICIENT_BALANCE
    ):
        return (
            EventType.REALTIME_BALANCE_EXHAUSTED
            if fact.is_realtime
            else EventType.PREPAID_BALANCE_INSUFFICIENT
        )
    if isinstance(fact, ChargeFailed) and not charges.is_failed_payment(fact):
        return None
    if isinstance(fact, TransferFailed) and fact.code == OwnCode.STOPPED:
        # It was never sent, which somebody wanted.
        return None
    return NAMES.get(type(fact))


def body_of(event: BillingEvent, tenant: Tenant) -> WebhookBody:
    """An event of a tenant's as it is sent."""
    return WebhookBody(
        id=event.id,
        type=event.type.value,
        version=VERSION,
        created_at=event.created_at,
        org_id=tenant.org_id,
        is_test=tenant.is_test,
        sequence=event.sequence,
        data=event.data,
    )


def _data(fact: Fact) -> dict[str, Any]:
    if isinstance(fact, EventKept):
        return msgspec.json.decode(fact.data)
    for known, (name, shape) in SHAPES.items():
        if isinstance(fact, known):
            return {name: shape(fact)}
    raise InvariantError(f"{type(fact).__name__} is not published to merchants")


def _invoice(fact: InvoiceFact) -> InvoiceShape:
    return InvoiceShape(
        id=fact.id,
        number=fact.number,
        status=fact.status,
        kind=fact.kind,
        customer_id=fact.customer_id,
        subscription_id=fact.subscription_id,
        currency=fact.currency,
        total=format_money(fact.total),
        amount_paid=format_money(fact.amount_paid),
        amount_due=format_money(fact.amount_due),
        period_start=fact.period_start,
        period_end=fact.period_end,
    )


def _payout(fact: TransferFact) -> PayoutShape:
    return PayoutShape(
        id=fact.transfer_id,
        bill_id=fact.bill_id,
        customer_id=fact.customer_id,
        currency=fact.currency,
        amount=format_money(fact.amount),
        provider=fact.provider,
        reference=fact.reference,
        error_code=fact.code if isinstance(fact, TransferFailed) else None,
        error_message=fact.reason if isinstance(fact, TransferFailed) else None,
    )


def _subscription(fact: SubscriptionFact) -> SubscriptionShape:
    return SubscriptionShape(
        id=fact.subscription_id,
        customer_id=fact.customer_id,
        plan_id=fact.plan_id,
        status=fact.status,
    )


def _top_up(fact: WalletTopUpRequested) -> TopUpShape:
    return TopUpShape(
        id=fact.top_up_id,
        wallet_id=fact.wallet_id,
        customer_id=fact.customer_id,
        currency=fact.currency,
        amount=format_money(fact.amount),
        status=fact.status,
        wallet_balance=format_money(fact.wallet_balance),
        created_at=fact.created_at,
    )


def _payment(fact: PaymentReceived) -> PaymentShape:
    """Money that came in; with whom and what for, as far as it was asked for."""
    return PaymentShape(
        id=fact.payment_id,
        transaction_id=fact.charge_id,
        status="succeeded",
        purpose=fact.purpose,
        customer_id=fact.customer_id,
        invoice_id=fact.invoice_id,
        wallet_id=fact.wallet_id,
        provider=fact.provider,
        provider_transaction_id=fact.provider_id,
        reference=fact.reference,
        currency=fact.currency,
        amount=format_money(fact.amount),
        fee=format_money(fact.fee),
    )


def _failed_payment(fact: ChargeFailed) -> FailedPaymentShape:
    return FailedPaymentShape(
        transaction_id=fact.charge_id,
        status="failed",
        purpose=fact.purpose,
        customer_id=fact.customer_id,
        invoice_id=fact.invoice_id,
        wallet_id=fact.wallet_id,
        provider=fact.provider,
        payment_method_id=fact.method_id,
        reference=fact.reference,
        currency=fact.currency,
        amount=format_money(fact.amount),
        error_code=fact.code,
        error_message=fact.reason or fact.code,
    )


def _overdue(fact: InvoiceOverdue) -> OverdueShape:
    return OverdueShape(
        id=fact.invoice_id,
        customer_id=fact.customer_id,
        currency=fact.currency,
        amount_due=format_money(fact.amount_due),
        due_date=fact.due_date,
        reminder=fact.reminder,
    )


def _method(fact: MethodExpiryFact) -> PaymentMethodShape:
    return PaymentMethodShape(
        id=fact.payment_method_id,
        customer_id=fact.customer_id,
        provider=fact.provider,
        brand=fact.brand,
        last4=fact.last4,
        exp_month=fact.exp_month,
        exp_year=fact.exp_year,
        is_default=fact.is_default,
    )


def _alert(fact: AlertFact) -> AlertShape:
    return AlertShape(
        id=fact.state_id,
        alert_id=fact.alert_id,
        type=fact.type,
        scope=fact.scope,
        scope_id=fact.scope_id,
        customer_id=fact.customer_id,
        subscription_id=fact.subscription_id,
        wallet_id=fact.wallet_id,
        metric_id=fact.metric_id,
        currency=fact.currency,
        threshold=AlertThreshold(value=fact.threshold_text, label=fact.label),
        value=fact.value_text,
        status=fact.status,
        period_start=fact.period_start,
        period_end=fact.period_end,
    )


def _usage(fact: UsageReported) -> UsageShape:
    customer_id = fact.customer_id if isinstance(fact, CustomerUsageReported) else None
    return UsageShape(
        id=fact.digest_id,
        customer_id=customer_id,
        period_start=fact.period_start,
        period_end=fact.period_end,
        metrics=[
            UsageOfMetric(
                metric_id=one.metric_id,
                name=one.name,
                aggregation=one.aggregation,
                value=format_decimal(one.quantity),
                event_count=one.event_count,
                customers=one.customers,
            )
            for one in fact.metrics
        ],
    )


# What each family of facts is shown as, and under which name.
SHAPES: Mapping[type[Fact], tuple[str, Callable[[Any], Struct]]] = {
    InvoiceFact: ("invoice", _invoice),
    TransferFact: ("payout", _payout),
    SubscriptionFact: ("subscription", _subscription),
    WalletTopUpRequested: ("top_up", _top_up),
    PaymentReceived: ("payment", _payment),
    ChargeFailed: ("payment", _failed_payment),
    InvoiceOverdue: ("invoice", _overdue),
    MethodExpiryFact: ("payment_method", _method),
    AlertFact: ("alert", _alert),
    UsageReported: ("usage", _usage),
}


def shape_of(name: EventType) -> tuple[str, type[Struct]]:
    """What events of a type are about: its name in `data`, and its shape."""
    renamed = {
        EventType.PREPAID_BALANCE_INSUFFICIENT: SubscriptionPaused,
        EventType.REALTIME_BALANCE_EXHAUSTED: SubscriptionPaused,
    }
    published = {**renamed, **{known: fact_type for fact_type, known in NAMES.items()}}
    for family, (field, shape) in SHAPES.items():
        if issubclass(published[name], family):
            return field, get_type_hints(shape)["return"]
    raise InvariantError(f"{name} has no shape")
