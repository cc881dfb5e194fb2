"""Use cases of those who collect what is due: it was received, a try failed, none is made any more.

Each locks its invoice as all others do: the subscription, the customer, then the invoice.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo import customers, subscriptions
from monigo.catalog import PlanType
from monigo.core.errors import not_found
from monigo.core.ids import CustomerId, InvoiceId, SubscriptionId, WalletId
from monigo.core.money import EXACT, Money
from monigo.infra.db import Transaction
from monigo.infra.registry import ask
from monigo.invoicing import documents, events
from monigo.invoicing.closing import resume_suspended
from monigo.invoicing.documents import InvoicePayment, Received, settle
from monigo.invoicing.types import Invoice, InvoiceStatus
from monigo.subscriptions import PauseReason, Subscription


class InvoiceInFlight(Struct, frozen=True):
    """The question whether an invoice may be settled otherwise: no payment is on its way."""

    invoice_id: InvoiceId


class InvoiceVoiding(Struct, frozen=True):
    """The question whether an invoice may be voided: no refund of it is on its way."""

    invoice_id: InvoiceId


class Receipt(Struct, frozen=True):
    """What became of money that was received for an invoice, as it was before.

    `taken` is what the invoice took, `excess` went to the wallet `wallet_id`.
    """

    invoice: Invoice
    taken: Money
    excess: Money
    wallet_id: WalletId | None


async def lock(tx: Transaction, invoice_id: UUID) -> Invoice:
    """An invoice, under the locks that make sums over its period and customer stand still.

    Raises:
        DomainError: not_found.
    """
    seen = await _load(tx, invoice_id)
    await subscriptions.lock(tx, seen.subscription_id)
    await customers.lock(tx, [seen.customer_id])
    return await _load(tx, invoice_id, for_update=True)


async def lock_free(
    tx: Transaction, invoice_ids: Sequence[InvoiceId]
) -> tuple[list[Invoice], set[InvoiceId]]:
    """These invoices without their lines, locked as by `lock`; and whose subscription is not free.

    Those that are gone are in neither.
    """
    owners = await documents.owners_of(tx, invoice_ids)
    wanted = {subscription_id for subscription_id, _ in owners.values()}
    held, _ = await subscriptions.lock_due(tx, sorted(wanted))
    free = {known.id for known in held}
    taken = {one: owner for one, owner in owners.items() if owner[0] in free}
    await customers.lock(tx, {customer_id for _, customer_id in taken.values()})
    return await documents.lock_all(tx, list(taken)), owners.keys() - taken.keys()


async def receive(tx: Transaction, received: Sequence[tuple[InvoiceId, Received]]) -> list[Receipt]:
    """Take money that came in at providers for invoices, in its order; the excess is credited.

    What comes for an invoice that is paid or void is all too much, and so is money of another
    currency: it goes to the customer's wallet, which is opened if there is none. A constant number
    of statements, unless an invoice gets several payments.

    Raises:
        DomainError: not_found, where one of the invoices is none.
    """
    invoices = await lock_together(tx, {invoice_id for invoice_id, _ in received})
    receipts: dict[int, Receipt] = {}
    left = list(enumerate(received))
    while left:
        # Each invoice takes its payments one after the other.
        first: dict[InvoiceId, int] = {}
        for position, (invoice_id, _) in left:
            first.setdefault(invoice_id, position)
        turn = sorted(first.values())
        paying = [position for position in turn if _fits(invoices, received[position])]
        found = await settle(
            tx,
            [
                InvoicePayment(invoices[received[position][0]], received[position][1])
                for position in paying
            ],
        )
        settled = dict(zip(paying, found, strict=True))
        for position in turn:
            invoice_id, money = received[position]
            one = settled.get(position)
            taken = one.taken if one else Money.zero(money.amount.currency)
            excess = one.excess if one else money.amount
            receipts[position] = Receipt(invoices[invoice_id], taken, excess, None)
        left = [one for one in left if one[0] not in turn]
        if left:
            invoices = await lock_together(tx, set(invoices))
    return await _with_wallets(tx, [receipts[position] for position in range(len(received))])


async def pay_from_wallet(tx: Transaction, invoice: Invoice) -> None:
    """Pay all that is due of a locked invoice from its customer's wallet, as the customer asks.

    Raises:
        DomainError: insufficient, where less is there; then nothing is taken.
    """
    if not await documents.pay_whole(tx, invoice):
        raise documents.insufficient(invoice)
    tx.changed(invoice, await _load(tx, invoice.id))


async def _with_wallets(tx: Transaction, receipts: Sequence[Receipt]) -> list[Receipt]:
    excess = [(one.invoice, one.excess) for one in receipts if one.excess.amount]
    credited = iter(await documents.credit_excess(tx, excess) if excess else [])
    return [
        replace(one, wallet_id=next(credited)) if one.excess.amount else one for one in receipts
    ]


def _fits(invoices: Mapping[InvoiceId, Invoice], received: tuple[InvoiceId, Received]) -> bool:
    invoice_id, money = received
    return money.amount.currency == invoices[invoice_id].currency


async def lock_together(
    tx: Transaction, invoice_ids: Collection[InvoiceId]
) -> dict[InvoiceId, Invoice]:
    """Invoices without their lines, locked as by `lock`, by a constant number of statements.

    Raises:
        DomainError: not_found, where one of them is none.
    """
    owners = await documents.owners_of(tx, list(invoice_ids))
    await subscriptions.lock_together(
        tx, {subscription_id for subscription_id, _ in owners.values()}
    )
    await customers.lock(tx, {customer_id for _, customer_id in owners.values()})
    locked = {one.id: one for one in await documents.lock_all(tx, list(owners))}
    if locked.keys() != set(invoice_ids):
        raise not_found("invoice")
    return locked


async def refuse_in_flight(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Raise conflict while a payment of a locked invoice is on its way that is not its payer's."""
    await ask(tx, InvoiceInFlight(invoice_id))


async def refuse_voiding(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Raise conflict while a payment of a locked invoice is on its way, or goes back."""
    await refuse_in_flight(tx, invoice_id)
    await ask(tx, InvoiceVoiding(invoice_id))


async def mark_payments_failed(
    tx: Transaction, invoice_ids: Collection[InvoiceId]
) -> list[Invoice]:
    """Note that tries to take what is due failed. What is paid, void or given up stays so.

    By a constant number of statements; the invoices come without their lines.

    Raises:
        DomainError: not_found.
    """
    before = await lock_together(tx, invoice_ids)
    unpaid = {
        one.id: one
        for one in before.values()
        if one.status in {InvoiceStatus.FINALIZED, InvoiceStatus.PAYMENT_FAILED}
    }
    if not unpaid:
        return list(before.values())
    final = [one.id for one in unpaid.values() if one.status is InvoiceStatus.FINALIZED]
    await documents.fail_payments(tx, final)
    after = {one.id: one for one in await documents.lock_all(tx, list(unpaid))}
    for invoice_id, one in after.items():
        tx.changed(before[invoice_id], one)
    await events.emit_all(tx, events.PAYMENT_FAILED, list(after.values()))
    return [after.get(invoice_id, one) for invoice_id, one in before.items()]


async def mark_uncollectible(tx: Transaction, invoice_id: UUID) -> Invoice:
    """Note that what is due is not tried any more, unless it is paid or void, or no try failed.

    Raises:
        DomainError: not_found.
    """
    before = await lock(tx, invoice_id)
    if before.status is not InvoiceStatus.PAYMENT_FAILED:
        return before
    await documents.end_collection(tx, before)
    after = await _changed(tx, before)
    await events.emit(tx, events.UNCOLLECTIBLE, after)
    return after


async def note_collection(
    tx: Transaction, notes: Mapping[InvoiceId, tuple[str, datetime | None]]
) -> None:
    """Note why locked invoices are not paid yet, and when each is tried or reminded of next."""
    await documents.note_collection(tx, notes)


async def note_refund(
    tx: Transaction,
    invoice_id: UUID,
    *,
    refunded: Decimal | None = None,
    disputed: Decimal = Decimal(0),
    taken_back: Decimal = Decimal(0),
) -> Invoice:
    """Note what has gone back of an invoice's payments, and add to what a provider took back.

    `disputed` is what of `refunded` went back by lost disputes; None leaves both. The invoice
    stays as it is: nothing of it falls due again.

    Raises:
        DomainError: not_found.
    """
    before = await lock(tx, invoice_id)
    if refunded is None:
        refunded, disputed = before.amount_refunded, before.amount_disputed
    await documents.note_refund(
        tx, before.id, refunded=refunded, disputed=disputed, taken_back=taken_back
    )
    return await _changed(tx, before)


async def refund_sources(
    tx: Transaction,
    invoice_id: UUID,
    amount: Money,
    *,
    skipping: Decimal,
    reference: tuple[str, str],
) -> None:
    """Refund what a wallet paid of an invoice, its money first; `skipping` went back before.

    Raises:
        DomainError: not_found.
    """
    await documents.refund_sources(
        tx, await lock(tx, invoice_id), amount, skipping=skipping, reference=reference
    )


async def suspend_unpaid(tx: Transaction, subscription_id: SubscriptionId) -> Subscription:
    """Suspend a subscription of which an invoice could not be collected, if it is active.

    Raises:
        DomainError: not_found.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    suspended = await subscriptions.suspend(tx, subscription)
    tx.changed(subscription, suspended)
    return suspended


async def lift_suspension(tx: Transaction, subscription_id: SubscriptionId) -> Subscription:
    """Let a suspended subscription go on, unless another one took its place or its time.

    Raises:
        DomainError: not_found; conflict.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    if subscription.pause_reason is not PauseReason.DUNNING:
        return subscription
    resumed = await resume_suspended(tx, subscription)
    tx.changed(subscription, resumed)
    return resumed


async def list_unpaid(
    tx: Transaction, customer_id: CustomerId, statuses: Sequence[InvoiceStatus] = documents.UNPAID
) -> list[Invoice]:
    """A customer's postpaid invoices in these statuses, oldest first."""
    return await documents.list_unpaid(tx, customer_id, statuses)


def refundable(invoice: Invoice) -> Money:
    """How much of an invoice's payments can still go back."""
    gone = EXACT.add(invoice.amount_refunded, invoice.amount_reversed)
    return Money(EXACT.subtract(invoice.amount_paid, gone), invoice.currency)


async def _load(tx: Transaction, invoice_id: UUID, *, for_update: bool = False) -> Invoice:
    found = await documents.load(tx, invoice_id, for_update=for_update)
    if found is None or found.plan_type is not PlanType.COLLECTION:
        raise not_found("invoice")
    return found


async def _changed(tx: Transaction, before: Invoice) -> Invoice:
    after = await _load(tx, before.id)
    tx.changed(before, after)
    return after
