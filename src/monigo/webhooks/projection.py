"""The projection: which facts are published as billing events, under which name and shape. Pure.

Ids, states and instants are left as they are: JSON has them as the API writes them, amounts not.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from monigo import alerts, collection, invoicing, reports, subscriptions, wallets
from monigo.core.errors import InvariantError
from monigo.core.money import format_decimal, format_money
from monigo.infra.facts import Fact, Recorded
from monigo.payments import charges, methods, received, transfers
from monigo.payments.transfers import OwnCode
from monigo.webhooks.events import EventKept
from monigo.webhooks.types import BillingEvent, EventType

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
    return BillingEvent(recorded.id, name, _data(fact), recorded.occurred_at)


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


def _data(fact: Fact) -> dict[str, Any]:
    if isinstance(fact, EventKept):
        return msgspec.json.decode(fact.data)
    for known, (name, shape) in _SHAPES.items():
        if isinstance(fact, known):
            return {name: shape(fact)}
    raise InvariantError(f"{type(fact).__name__} is not published to merchants")


def _invoice(fact: InvoiceFact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "number": fact.number,
        "status": fact.status,
        "kind": fact.kind,
        "customer_id": fact.customer_id,
        "subscription_id": fact.subscription_id,
        "currency": fact.currency,
        "total": format_money(fact.total),
        "amount_paid": format_money(fact.amount_paid),
        "amount_due": format_money(fact.amount_due),
        "period_start": fact.period_start,
        "period_end": fact.period_end,
    }


def _payout(fact: TransferFact) -> dict[str, Any]:
    return {
        "id": fact.transfer_id,
        "bill_id": fact.bill_id,
        "customer_id": fact.customer_id,
        "currency": fact.currency,
        "amount": format_money(fact.amount),
        "provider": fact.provider,
        "reference": fact.reference,
        "error_code": fact.code if isinstance(fact, TransferFailed) else None,
        "error_message": fact.reason if isinstance(fact, TransferFailed) else None,
    }


def _subscription(fact: SubscriptionFact) -> dict[str, Any]:
    return {
        "id": fact.subscription_id,
        "customer_id": fact.customer_id,
        "plan_id": fact.plan_id,
        "status": fact.status,
    }


def _top_up(fact: WalletTopUpRequested) -> dict[str, Any]:
    return {
        "id": fact.top_up_id,
        "wallet_id": fact.wallet_id,
        "customer_id": fact.customer_id,
        "currency": fact.currency,
        "amount": format_money(fact.amount),
        "status": fact.status,
        "wallet_balance": format_money(fact.wallet_balance),
        "created_at": fact.created_at,
    }


def _payment(fact: PaymentReceived) -> dict[str, Any]:
    """Money that came in; with whom and what for, as far as it was asked for."""
    return {
        "id": fact.payment_id,
        "transaction_id": fact.charge_id,
        "status": "succeeded",
        "purpose": fact.purpose,
        "customer_id": fact.customer_id,
        "invoice_id": fact.invoice_id,
        "wallet_id": fact.wallet_id,
        "provider": fact.provider,
        "provider_transaction_id": fact.provider_id,
        "reference": fact.reference,
        "currency": fact.currency,
        "amount": format_money(fact.amount),
        "fee": format_money(fact.fee),
    }


def _failed_payment(fact: ChargeFailed) -> dict[str, Any]:
    return {
        "transaction_id": fact.charge_id,
        "status": "failed",
        "purpose": fact.purpose,
        "customer_id": fact.customer_id,
        "invoice_id": fact.invoice_id,
        "wallet_id": fact.wallet_id,
        "provider": fact.provider,
        "payment_method_id": fact.method_id,
        "reference": fact.reference,
        "currency": fact.currency,
        "amount": format_money(fact.amount),
        "error_code": fact.code,
        "error_message": fact.reason or fact.code,
    }


def _overdue(fact: InvoiceOverdue) -> dict[str, Any]:
    return {
        "id": fact.invoice_id,
        "customer_id": fact.customer_id,
        "currency": fact.currency,
        "amount_due": format_money(fact.amount_due),
        "due_date": fact.due_date,
        "reminder": fact.reminder,
    }


def _method(fact: MethodExpiryFact) -> dict[str, Any]:
    return {
        "id": fact.payment_method_id,
        "customer_id": fact.customer_id,
        "provider": fact.provider,
        "brand": fact.brand,
        "last4": fact.last4,
        "exp_month": fact.exp_month,
        "exp_year": fact.exp_year,
        "is_default": fact.is_default,
    }


def _alert(fact: AlertFact) -> dict[str, Any]:
    return {
        "id": fact.state_id,
        "alert_id": fact.alert_id,
        "type": fact.type,
        "scope": fact.scope,
        "scope_id": fact.scope_id,
        "customer_id": fact.customer_id,
        "subscription_id": fact.subscription_id,
        "wallet_id": fact.wallet_id,
        "metric_id": fact.metric_id,
        "currency": fact.currency,
        "threshold": {"value": fact.threshold_text, "label": fact.label},
        "value": fact.value_text,
        "status": fact.status,
        "period_start": fact.period_start,
        "period_end": fact.period_end,
    }


def _usage(fact: UsageReported) -> dict[str, Any]:
    customer_id = fact.customer_id if isinstance(fact, CustomerUsageReported) else None
    return {
        "id": fact.digest_id,
        "customer_id": customer_id,
        "period_start": fact.period_start,
        "period_end": fact.period_end,
        "metrics": [
            {
                "metric_id": one.metric_id,
                "name": one.name,
                "aggregation": one.aggregation,
                "value": format_decimal(one.quantity),
                "event_count": one.event_count,
                "customers": one.customers,
            }
            for one in fact.metrics
        ],
    }


# What each family of facts is shown as, and under which name.
_SHAPES: Mapping[type[Fact], tuple[str, Callable[[Any], dict[str, Any]]]] = {
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
