"""The projection: which facts are published as billing events, under which name and shape. Pure.

Ids, states and instants are left as they are: JSON has them as the API writes them, amounts not.
"""

from collections.abc import Mapping
from typing import Any

from monigo import invoicing, subscriptions, wallets
from monigo.core.errors import InvariantError
from monigo.core.money import format_money
from monigo.infra.facts import Fact, Recorded
from monigo.webhooks.types import BillingEvent, EventType

InvoiceFact = invoicing.events.InvoiceFact
SubscriptionFact = subscriptions.events.SubscriptionFact
SubscriptionPaused = subscriptions.events.SubscriptionPaused
WalletTopUpRequested = wallets.events.WalletTopUpRequested

NAMES: Mapping[type[Fact], EventType] = {
    invoicing.events.InvoiceCreated: EventType.INVOICE_CREATED,
    invoicing.events.InvoiceFinalized: EventType.INVOICE_FINALIZED,
    invoicing.events.InvoicePaid: EventType.INVOICE_PAID,
    invoicing.events.InvoiceVoided: EventType.INVOICE_VOIDED,
    subscriptions.events.SubscriptionCreated: EventType.SUBSCRIPTION_CREATED,
    subscriptions.events.SubscriptionPaused: EventType.SUBSCRIPTION_PAUSED,
    subscriptions.events.SubscriptionResumed: EventType.SUBSCRIPTION_RESUMED,
    subscriptions.events.SubscriptionCanceled: EventType.SUBSCRIPTION_CANCELED,
    wallets.events.WalletTopUpRequested: EventType.WALLET_TOP_UP_REQUESTED,
}


def project(recorded: Recorded) -> BillingEvent:
    """The billing event of a fact, whose type must be in `NAMES`."""
    fact = recorded.fact
    return BillingEvent(recorded.id, _name(fact), _data(fact), recorded.occurred_at)


def _name(fact: Fact) -> EventType:
    if (
        isinstance(fact, SubscriptionPaused)
        and fact.reason is subscriptions.PauseReason.INSUFFICIENT_BALANCE
    ):
        return (
            EventType.REALTIME_BALANCE_EXHAUSTED
            if fact.is_realtime
            else EventType.PREPAID_BALANCE_INSUFFICIENT
        )
    return NAMES[type(fact)]


def _data(fact: Fact) -> dict[str, Any]:
    match fact:
        case InvoiceFact():
            return {"invoice": _invoice(fact)}
        case SubscriptionFact():
            return {"subscription": _subscription(fact)}
        case WalletTopUpRequested():
            return {"top_up": _top_up(fact)}
        case _:
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
