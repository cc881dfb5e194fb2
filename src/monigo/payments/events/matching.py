"""A person says what money is for that fits nothing: it is credited as if the event had said so."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.errors import conflict, invalid
from monigo.core.ids import CustomerId, InvoiceId, ProviderEventId, WalletId
from monigo.core.money import Money
from monigo.infra import agenda
from monigo.infra.db import Transaction
from monigo.payments import charges
from monigo.payments.charges import PaymentKind, Purpose, Receipt
from monigo.payments.events import rules, store
from monigo.payments.events.service import waiting, work_on
from monigo.payments.events.types import EventState, ProviderEvent
from monigo.providers.port import Kind


class Use(Struct, frozen=True, kw_only=True):
    """What money is for: an invoice or a wallet of a customer's."""

    customer_id: CustomerId
    currency: str
    invoice_id: InvoiceId | None = None
    wallet_id: WalletId | None = None


def money_of(event: ProviderEvent) -> Money:
    """The money of an event that says for sure that some came in.

    Raises:
        DomainError: conflict, for one that does not.
    """
    amount = event.summary.amount
    if not rules.is_money_in(event.summary) or amount is None:
        raise conflict("event_not_money", "the event does not say for sure that money came in")
    return amount


def receipt_of(event: ProviderEvent, use: Use | None) -> Receipt:
    """The money of an event, for its use; None for what fits nothing, and goes back."""
    summary = event.summary
    purpose = Purpose.INVOICE if use and use.invoice_id else Purpose.WALLET
    return Receipt(
        kind=PaymentKind.DEPOSIT if summary.kind is Kind.DEPOSIT else PaymentKind.CHARGE,
        purpose=purpose if use else Purpose.UNMATCHED,
        connection_id=event.connection_id,
        provider=event.provider,
        provider_id=summary.provider_id,
        rail_id=summary.rail_id,
        customer_id=use.customer_id if use else None,
        amount=money_of(event),
        fee=summary.fee.amount if summary.fee else Decimal(0),
        fee_by_payer=summary.fee_by_payer.amount if summary.fee_by_payer else Decimal(0),
        occurred_at=summary.occurred_at,
        invoice_id=use.invoice_id if use else None,
        wallet_id=use.wallet_id if use else None,
    )


async def match(tx: Transaction, event_id: ProviderEventId, use: Use) -> ProviderEvent:
    """Credit the money of an event that waits.

    Raises:
        DomainError: not found; invalid, for money in another currency; conflict, for an event that
            does not wait, that does not say for sure that money came, or whose money is credited.
    """
    event = await waiting(tx, event_id)
    currency = money_of(event).currency
    if currency != use.currency:
        named = "invoice_id" if use.invoice_id else "wallet_id"
        raise invalid({named: f"is in {use.currency}, and the money in {currency}"})
    payment = await charges.receive(tx, receipt_of(event, use))
    if payment is None:
        raise conflict("payment_known", "this payment is credited already")
    after = replace(
        event,
        state=EventState.MATCHED,
        reason="",
        invoice_id=use.invoice_id,
        wallet_id=use.wallet_id,
        handled_at=tx.real_now,
    )
    await store.update(tx, [after])
    await agenda.cancel(tx, work_on(is_proven=event.is_proven), [event_id])
    tx.changed(event, after)
    return after
