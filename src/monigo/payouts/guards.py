"""Who may do what to a bill while it is paid out, and which transfers are still to be sent."""

from collections.abc import Sequence

from monigo import invoicing, tenancy
from monigo.core.errors import conflict
from monigo.core.ids import PayoutLegId
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice
from monigo.payments.transfers import Refusal, Transfer, TransferSubmission
from monigo.payouts import rules, store
from monigo.payouts.types import Leg, LegState, Part, Payout

SUPERSEDED = "it is paid or sent otherwise by now"


async def refuse_bill_in_flight(tx: Transaction, asked: invoicing.BillInFlight) -> None:
    """Keep a locked bill from being voided while something of it is on its way or was paid.

    Raises:
        DomainError: conflict.
    """
    legs = (await store.load_legs(tx, [asked.bill_id])).get(asked.bill_id, [])
    if any(leg.state is LegState.SENDING for leg in legs):
        raise rules.in_flight()
    if any(leg.state is LegState.PAID for leg in legs):
        raise conflict("bill_partly_paid", "a part of the bill was paid out")


async def outdated_transfers(tx: Transaction, asked: TransferSubmission) -> Sequence[Refusal]:
    """Which locked transfers are not to be sent: of bills that are held or void, or paid by now.

    Nor is any that was not sent before the organisation was suspended.
    """
    parts = await store.load_parts(tx, [one.id for one in asked.transfers])
    leg_ids = {part.leg_id for found in parts.values() for part in found}
    bill_ids = await store.bills_of_legs(tx, leg_ids)
    bills = await invoicing.lock_bills(tx, bill_ids)
    payouts = await store.load(tx, bill_ids)
    found = await store.load_legs(tx, bill_ids)
    legs = {leg.id: leg for of_bill in found.values() for leg in of_bill}
    is_suspended = (await tenancy.get_organization(tx)).suspended_at is not None
    refusals: list[Refusal] = []
    for transfer in asked.transfers:
        reason = _why_not(transfer, parts.get(transfer.id, []), legs)
        # What may have left is seen to its end.
        if is_suspended and not transfer.is_in_flight:
            reason = reason or tenancy.organization_suspended().message
        for part in parts.get(transfer.id, ()):
            bill_id = legs[part.leg_id].bill_id
            reason = reason or _of_bill(bills[bill_id], payouts[bill_id])
        if reason:
            refusals.append(Refusal(transfer.id, reason))
    return refusals


def _why_not(transfer: Transfer, parts: Sequence[Part], legs: dict[PayoutLegId, Leg]) -> str:
    is_its = all(
        legs[part.leg_id].state is LegState.SENDING and legs[part.leg_id].transfer_id == transfer.id
        for part in parts
    )
    return "" if parts and is_its else SUPERSEDED


def _of_bill(bill: Invoice, payout: Payout) -> str:
    if not rules.is_open(bill):
        return SUPERSEDED
    return f"the payout is held: {payout.hold.reason}" if payout.hold is not None else ""
