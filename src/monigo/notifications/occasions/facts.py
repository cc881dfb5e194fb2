"""Which facts customers are written to about. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from monigo import collection, invoicing, subscriptions
from monigo.infra.facts import Fact, Recorded
from monigo.notifications.occasions.types import Card, Occasion
from monigo.payments import charges, methods, received
from monigo.subscriptions import PauseReason
from monigo.tenancy import MailType

InvoiceFinalized = invoicing.events.InvoiceFinalized
BillPaid = invoicing.events.BillPaid
InvoiceOverdue = collection.events.InvoiceOverdue
PaymentReceived = received.events.PaymentReceived
ChargeFailed = charges.events.ChargeFailed
PaymentMethodExpiring = methods.events.PaymentMethodExpiring
PaymentMethodExpired = methods.events.PaymentMethodExpired
SubscriptionPaused = subscriptions.events.SubscriptionPaused


def occasion_of(recorded: Recorded) -> Occasion | None:
    """What a fact gives occasion to write about; None where there is nothing to say."""
    fact = recorded.fact
    about = _READERS[type(fact)](fact)
    if about is None:
        return None
    return Occasion(occurred_at=recorded.occurred_at, **about)


def _invoice_finalized(fact: InvoiceFinalized) -> dict[str, Any] | None:
    if not fact.total:
        return None
    return {"type": MailType.INVOICE_FINALIZED, **_document(fact)}


def _bill_paid(fact: BillPaid) -> dict[str, Any] | None:
    if not fact.total:
        return None
    return {"type": MailType.PAYOUT_SENT, **_document(fact)}


def _document(fact: InvoiceFinalized | BillPaid) -> dict[str, Any]:
    return {
        "customer_id": fact.customer_id,
        "document_id": fact.id,
        "number": fact.number,
        "currency": fact.currency,
        "amount": fact.total,
        "total": fact.total,
        "period_start": fact.period_start,
        "period_end": fact.period_end,
    }


def _invoice_overdue(fact: InvoiceOverdue) -> dict[str, Any]:
    return {
        "type": MailType.INVOICE_OVERDUE,
        "customer_id": fact.customer_id,
        "document_id": fact.invoice_id,
        "currency": fact.currency,
        "amount": fact.amount_due,
        "due_date": fact.due_date,
    }


def _payment_received(fact: PaymentReceived) -> dict[str, Any]:
    return {
        "type": MailType.RECEIPT,
        "customer_id": fact.customer_id,
        "document_id": fact.invoice_id,
        "is_for_wallet": fact.wallet_id is not None,
        "currency": fact.currency,
        "amount": fact.amount,
        "reference": fact.reference or fact.provider_id,
    }


def _charge_failed(fact: ChargeFailed) -> dict[str, Any] | None:
    if not charges.is_failed_payment(fact):
        return None
    return {
        "type": MailType.PAYMENT_FAILED,
        "customer_id": fact.customer_id,
        "document_id": fact.invoice_id,
        "is_for_wallet": fact.wallet_id is not None,
        "currency": fact.currency,
        "amount": fact.amount,
        "reference": fact.reference,
    }


def _card(fact: PaymentMethodExpiring | PaymentMethodExpired) -> dict[str, Any] | None:
    """Of the card that is charged; of others nothing depends."""
    if not fact.is_default:
        return None
    is_expired = isinstance(fact, PaymentMethodExpired)
    return {
        "type": MailType.CARD_EXPIRING,
        "customer_id": fact.customer_id,
        "card": Card(fact.brand, fact.last4, fact.exp_month, fact.exp_year, is_expired),
    }


def _paused(fact: SubscriptionPaused) -> dict[str, Any] | None:
    if fact.reason is not PauseReason.INSUFFICIENT_BALANCE:
        return None
    return {"type": MailType.BALANCE_LOW, "customer_id": fact.customer_id}


_READERS: Mapping[type[Fact], Callable[[Any], dict[str, Any] | None]] = {
    InvoiceFinalized: _invoice_finalized,
    BillPaid: _bill_paid,
    InvoiceOverdue: _invoice_overdue,
    PaymentReceived: _payment_received,
    ChargeFailed: _charge_failed,
    PaymentMethodExpiring: _card,
    PaymentMethodExpired: _card,
    SubscriptionPaused: _paused,
}

# Of these facts at most.
FACTS: tuple[type[Fact], ...] = tuple(_READERS)
