"""Use cases of payouts: what is due is sent by itself or waits, and what people start and stop."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from uuid import UUID

from msgspec.structs import replace

from monigo import invoicing, tenancy
from monigo.catalog import PlanType
from monigo.core.errors import conflict, not_found
from monigo.core.ids import CustomerId, InvoiceId, PayoutTransferId
from monigo.core.money import EXACT, Money
from monigo.core.periods import midnight_days_ago
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind
from monigo.infra.db import Tenant, Transaction
from monigo.invoicing import Invoice, InvoiceStatus
from monigo.payments import connections, payout_accounts, transfers
from monigo.payments.transfers import Transfer, TransferState
from monigo.payouts import rules, store
from monigo.payouts.sending import Sending, plan, send
from monigo.payouts.types import (
    Batch,
    BillPart,
    BillTransaction,
    Hold,
    Payout,
    PayoutState,
    Target,
    Wanted,
)
from monigo.tenancy import AUTOMATIC, Organization

# Of a bill: something may be done to pay it out.
PAY_OUT = Kind("payout", Follows.TENANT)
# Bills below the minimum that one look takes along; a payee has few, and the rest goes next time.
SMALL_MAX = 1_000
# What lacks something is also looked at again when that is added, so many at once.
BLOCKED_FOR = timedelta(days=1)
WOKEN_MAX = 20_000
_FAILED = frozenset({TransferState.FAILED, TransferState.REVERSED})
# Where a payout may go on by itself.
_LOOKED_AT = frozenset({PayoutState.DUE, PayoutState.BLOCKED, PayoutState.BELOW_MINIMUM})


async def begin(tx: Transaction, finalized: Sequence[invoicing.events.BillFinalized]) -> None:
    """Have bills paid out of which something is due as they become final; two statements."""
    due = [(one.id, one.customer_id, one.currency) for one in finalized if one.amount_due > 0]
    if due:
        await store.insert(tx, due)
        await agenda.put(tx, PAY_OUT, {bill_id: tx.now for bill_id, _, _ in due})


async def look_again(
    tx: Transaction,
    changed: Sequence[
        payout_accounts.events.PayoutAccountAdded | payout_accounts.events.PayoutAccountChanged
    ],
) -> None:
    """Have payouts looked at again that may have lacked the account that was added or changed."""
    blocked = await store.blocked_of(tx, {one.customer_id for one in changed}, WOKEN_MAX)
    await agenda.put(tx, PAY_OUT, dict.fromkeys(blocked, tx.now))


async def note_connections(
    tx: Transaction, changed: Sequence[connections.events.PaymentConnectionChanged]
) -> None:
    """Have payouts looked at again that may have lacked a connection."""
    if any(one.is_enabled for one in changed):
        await _wake_all(tx)


async def note_activated(
    tx: Transaction, activated: Sequence[tenancy.events.OrganizationActivated]
) -> None:
    """Have the payouts of both modes looked at again as an organisation's suspension ends."""
    for _ in activated:
        for is_test in (True, False):
            async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
                await _wake_all(own)


async def _wake_all(tx: Transaction) -> None:
    blocked = await store.blocked_of(tx, None, WOKEN_MAX)
    await agenda.put(tx, PAY_OUT, dict.fromkeys(blocked, tx.now))


async def pay_out(tx: Transaction, entries: Sequence[Entry]) -> Collection[UUID]:
    """Do what is next for bills that are due; those that somebody else holds stay due."""
    due = [InvoiceId(entry.subject) for entry in entries]
    small = await store.small_beside(tx, due, SMALL_MAX)
    await _lock_transfers(tx, [*due, *small])
    locked, busy = await invoicing.lock_free(tx, [*due, *(one for one in small if one not in due)])
    bills = await invoicing.booked(tx, locked)
    payouts = await store.load(tx, bills)
    looked_at = [
        bills[bill_id]
        for bill_id, one in payouts.items()
        if rules.is_open(bills[bill_id]) and one.hold is None
        if bill_id in due or one.state is PayoutState.BELOW_MINIMUM
        if one.state in _LOOKED_AT
    ]
    organization = await tenancy.get_organization(tx)
    changed: list[Payout] = []
    ready: list[Sending] = []
    for sending in await plan(tx, looked_at):
        state, reason = await _next(tx, sending, ready, organization)
        if state is PayoutState.SENDING:
            ready.append(sending)
            continue
        for bill in sending.bills:
            before = payouts[bill.id]
            if before.state is not PayoutState.BELOW_MINIMUM or state is PayoutState.BELOW_MINIMUM:
                changed.append(replace(before, state=state, reason=reason))
    await store.update(tx, changed)
    blocked = [one.bill_id for one in changed if one.state is PayoutState.BLOCKED]
    await agenda.put(tx, PAY_OUT, dict.fromkeys(blocked, tx.now + BLOCKED_FOR))
    if ready:
        await send(tx, ready, payouts)
    return set(busy) & set(due)


async def _next(
    tx: Transaction, sending: Sending, ready: Sequence[Sending], organization: Organization
) -> tuple[PayoutState, str]:
    """What becomes of a payee's bills, and why; `ready` is what is sent in this transaction."""
    settings, currency = organization.payouts, organization.billing.default_currency
    due = Money(reduce(EXACT.add, [one.amount_due for one in sending.bills]), sending.currency)
    if rules.is_below_minimum(due, settings, currency):
        return PayoutState.BELOW_MINIMUM, rules.BELOW_MINIMUM
    mode = settings.test_payout_mode if tx.is_test else settings.payout_mode
    if mode != AUTOMATIC:
        return PayoutState.NEEDS_APPROVAL, rules.APPROVAL
    if sending.missing is not None:
        return PayoutState.BLOCKED, sending.missing.message
    batch = await store.open_batch(tx, sending.currency, tx.now - rules.LARGEST_OF)
    before = [one for one in ready if one.currency == sending.currency]
    added = reduce(EXACT.add, [one.amount.amount for one in before], batch.sent)
    wanted = await _wanted(tx, sending, before, organization.billing.timezone)
    doubt = rules.doubt(wanted, settings, currency, Batch(added, batch.largest), tx.now)
    return (PayoutState.NEEDS_APPROVAL, doubt) if doubt else (PayoutState.SENDING, "")


async def _wanted(
    tx: Transaction, sending: Sending, ready: Sequence[Sending], timezone: str
) -> Wanted:
    payees = {parcel.account.customer_id for parcel in sending.parcels}
    known = await store.paid_before(tx, payees)
    today = midnight_days_ago(tx.now, 0, timezone)
    sent = dict(await store.sent_since(tx, payees, today, sending.currency))
    for one in ready:
        for payee_id, share in _shares(one).items():
            sent[payee_id] = EXACT.add(sent.get(payee_id, Decimal(0)), share)
    return Wanted(
        amount=sending.amount,
        targets=tuple(
            Target(
                parcel.account.id,
                parcel.account.customer_id,
                parcel.account.changed_at,
                parcel.account.customer_id not in known,
            )
            for parcel in sending.parcels
        ),
        shares=_shares(sending),
        sent_today=sent,
    )


def _shares(sending: Sending) -> Mapping[CustomerId, Decimal]:
    shares: dict[CustomerId, Decimal] = {}
    for parcel in sending.parcels:
        owner = parcel.account.customer_id
        shares[owner] = EXACT.add(shares.get(owner, Decimal(0)), parcel.amount.amount)
    return shares


async def initiate(tx: Transaction, bill_id: UUID) -> list[Transfer]:
    """Intend to send what is owed of a bill, with what the payee has below the minimum.

    What is on its way is not sent again: its transfers are returned, too, and so are those of what
    goes with it, also where they pay nothing of this bill.

    Raises:
        DomainError: not_found; conflict, unless something is due, while it is held, or where
            something is missing without which nothing can be sent.
    """
    return await _send_one(tx, bill_id, None)


async def retry(tx: Transaction, bill_id: UUID, transfer_id: UUID) -> list[Transfer]:
    """Intend to send again what a transfer of a bill was to pay, and did not.

    Raises:
        DomainError: not_found; conflict, as `initiate`, and unless the transfer failed.
    """
    failed = (await get_transaction(tx, bill_id, transfer_id)).transfer
    if failed.state not in _FAILED:
        raise conflict("transaction_not_failed", f"the transaction is {failed.state}")
    return await _send_one(tx, bill_id, failed.id)


async def _send_one(
    tx: Transaction, bill_id: UUID, failed: PayoutTransferId | None
) -> list[Transfer]:
    seen = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    small = [] if failed else await store.small_beside(tx, [seen.id], SMALL_MAX)
    parts = (await store.load_parts(tx, [failed])).get(failed, []) if failed else []
    only = {part.leg_id for part in parts} or None
    beside = await store.bills_of_legs(tx, only) if only else small
    await _lock_transfers(tx, [seen.id, *beside])
    bills = await invoicing.lock_bills(tx, {seen.id, *beside})
    bill = bills.get(seen.id, seen)
    await _begin_late(tx, bill)
    payouts = await store.load(tx, bills)
    before = rules.check_can_initiate(bill, payouts.get(bill.id))
    wanted = [
        bills[one.bill_id]
        for one in payouts.values()
        if one.bill_id == bill.id
        or (
            rules.is_open(bills[one.bill_id])
            and one.hold is None
            and (only or one.state is PayoutState.BELOW_MINIMUM)
        )
    ]
    planned = await plan(tx, wanted, only)
    for sending in planned:
        if sending.missing is not None:
            raise sending.missing
    made = await send(tx, planned, payouts, is_awaited=True)
    if failed and not made:
        raise conflict("payout_in_flight", "a transfer for it is under way, or was paid")
    legs = (await store.load_legs(tx, [bill.id])).get(bill.id, [])
    ids = {one.id for one in made} | rules.in_flight_of(legs)
    tx.changed(before, (await store.load(tx, [bill.id]))[bill.id])
    found = await transfers.get_transfers(tx, ids)
    return [found[each] for each in sorted(ids)]


async def _lock_transfers(tx: Transaction, bill_ids: Collection[InvoiceId]) -> None:
    """Lock earlier tries to pay bills, before the bills themselves."""
    legs = await store.load_legs(tx, bill_ids)
    if legs:
        await transfers.lock_of_legs(tx, [leg.id for found in legs.values() for leg in found])


async def hold(tx: Transaction, bill_id: UUID, reason: str) -> Payout:
    """Have nothing of a bill sent until it is released.

    Raises:
        DomainError: not_found; conflict, unless something is due, or while a transfer of it is on
            its way.
    """
    seen = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    await _stop_unsent(tx, seen.id, f"the payout is held: {reason}")
    bill, payout = await _locked(tx, seen)
    legs = (await store.load_legs(tx, [bill.id])).get(bill.id, [])
    before = rules.check_can_hold(bill, payout, legs)
    held = replace(before, hold=Hold(reason, str(tx.principal), tx.now))
    return await _saved(tx, before, held)


async def release(tx: Transaction, bill_id: UUID) -> Payout:
    """Have a bill that was held looked at again; what somebody is to initiate still waits for that.

    Raises:
        DomainError: not_found; conflict, unless it is held.
    """
    seen = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    _, before = await _locked(tx, seen)
    if before is None or before.hold is None:
        raise conflict("payout_not_held", "the payout is not held")
    released = replace(before, hold=None)
    if before.state in _LOOKED_AT:
        released = replace(released, state=PayoutState.DUE, reason="")
        await agenda.put(tx, PAY_OUT, {seen.id: tx.now})
    return await _saved(tx, before, released)


async def void(tx: Transaction, bill_id: UUID) -> Invoice:
    """Take a bill back of which nothing was paid, and send none of it any more.

    Raises:
        DomainError: not_found; conflict, when paid or void already, or while a transfer of it is on
            its way.
    """
    seen = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    await _stop_unsent(tx, seen.id, "the bill was voided")
    return await invoicing.void(tx, seen.id, plan_type=PlanType.PAYOUT)


async def _stop_unsent(tx: Transaction, bill_id: InvoiceId, reason: str) -> None:
    """Transfers are locked before bills; those that carry the bill may be another bill's."""
    legs = (await store.load_legs(tx, [bill_id])).get(bill_id, [])
    carrying = await transfers.get_transfers(tx, rules.in_flight_of(legs))
    led_by = {bill_id, *(one.bill_id for one in carrying.values())}
    if await transfers.stop_unsent(tx, led_by, reason):
        raise rules.in_flight()


async def forget_void(tx: Transaction, voided: Sequence[invoicing.events.BillVoided]) -> None:
    """Note that nothing is owed any more of bills that were voided."""
    payouts = await store.load(tx, [one.id for one in voided])
    void = [replace(one, state=PayoutState.VOID, reason="") for one in payouts.values()]
    await store.update(tx, void)
    await agenda.cancel(tx, PAY_OUT, list(payouts))


async def get_payouts(
    tx: Transaction, bill_ids: Collection[InvoiceId]
) -> Mapping[InvoiceId, Payout]:
    """How far the payouts of bills have come; bills of which nothing is owed are absent."""
    return await store.load(tx, bill_ids)


async def get_transaction(tx: Transaction, bill_id: UUID, transfer_id: UUID) -> BillTransaction:
    """A transfer that was to pay something of a bill. Raises not_found."""
    found = next(
        (one for one in await store.parts_of(tx, bill_id) if one.transfer_id == transfer_id), None
    )
    if found is None:
        raise not_found("transaction")
    transfer = await transfers.get_transfer(tx, found.transfer_id)
    return _transaction(InvoiceId(bill_id), transfer, found)


async def list_transactions(tx: Transaction, bill_id: UUID) -> list[BillTransaction]:
    """The transfers that were to pay a bill, newest first. Raises not_found."""
    bill = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    parts = await store.parts_of(tx, bill.id)
    found = await transfers.get_transfers(tx, [one.transfer_id for one in parts])
    return [_transaction(bill.id, found[one.transfer_id], one) for one in parts]


def _transaction(bill_id: InvoiceId, transfer: Transfer, part: BillPart) -> BillTransaction:
    return BillTransaction(bill_id, transfer, part.amount, part.is_excess)


async def _locked(tx: Transaction, seen: Invoice) -> tuple[Invoice, Payout | None]:
    bills = await invoicing.lock_bills(tx, [seen.id])
    if seen.id not in bills:
        raise not_found("bill")
    await _begin_late(tx, bills[seen.id])
    return bills[seen.id], (await store.load(tx, [seen.id])).get(seen.id)


async def _begin_late(tx: Transaction, bill: Invoice) -> None:
    """Begin the payout of a locked bill that became final before there were payouts."""
    if bill.status is InvoiceStatus.FINALIZED and not await store.load(tx, [bill.id]):
        await store.insert(tx, [(bill.id, bill.customer_id, bill.currency)])
        await agenda.put(tx, PAY_OUT, {bill.id: tx.now})


async def _saved(tx: Transaction, before: Payout, after: Payout) -> Payout:
    await store.update(tx, [after])
    tx.changed(before, after)
    return after
