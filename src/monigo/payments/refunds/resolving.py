"""A person decides what became of a charge, refund or transfer that nothing is known of."""

from uuid import UUID

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.db import Transaction
from monigo.payments import charges, transfers
from monigo.payments.charges import Charge, ChargeState
from monigo.payments.refunds import service
from monigo.payments.refunds.types import Refund, RefundState, Resolvable, ResolvedAs
from monigo.payments.transfers import Transfer, TransferState

_OF_CHARGES = {
    ResolvedAs.SUCCEEDED: ChargeState.SUCCEEDED,
    ResolvedAs.FAILED: ChargeState.FAILED,
}
_OF_REFUNDS = {
    ResolvedAs.SUCCEEDED: RefundState.SUCCEEDED,
    ResolvedAs.FAILED: RefundState.FAILED,
}
_OF_TRANSFERS = {
    ResolvedAs.SUCCEEDED: TransferState.SUCCEEDED,
    ResolvedAs.FAILED: TransferState.FAILED,
}


async def resolve_transaction(
    tx: Transaction, transaction_id: UUID, outcome: ResolvedAs, *, provider_id: str, note: str
) -> Resolvable:
    """Take a person's word for a charge, refund or transfer; the provider's later one still wins.

    Raises:
        DomainError: not_found; conflict, where the provider has decided.
    """
    said = {"provider_id": provider_id, "note": note}
    for resolve in (_resolve_charge, _resolve_transfer):
        try:
            before, after = await resolve(tx, transaction_id, outcome, **said)
        except DomainError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
        else:
            tx.changed(before, after)
            return after
    return await _resolve_refund(tx, transaction_id, outcome, provider_id=provider_id, note=note)


async def _resolve_charge(
    tx: Transaction, charge_id: UUID, outcome: ResolvedAs, *, provider_id: str, note: str
) -> tuple[Resolvable, Resolvable]:
    known = await charges.get_charge(tx, charge_id)
    charge = await charges.resolve(
        tx, charge_id, _OF_CHARGES[outcome], provider_id=provider_id, note=note
    )
    return _of_charge(known), _of_charge(charge)


async def _resolve_transfer(
    tx: Transaction, transfer_id: UUID, outcome: ResolvedAs, *, provider_id: str, note: str
) -> tuple[Resolvable, Resolvable]:
    known = await transfers.get_transfer(tx, transfer_id)
    transfer = await transfers.resolve(
        tx, transfer_id, _OF_TRANSFERS[outcome], provider_id=provider_id, note=note
    )
    return _of_transfer(known), _of_transfer(transfer)


async def _resolve_refund(
    tx: Transaction, refund_id: UUID, outcome: ResolvedAs, *, provider_id: str, note: str
) -> Resolvable:
    known = await service.get_refund(tx, refund_id)
    refund = await service.resolve(
        tx, refund_id, _OF_REFUNDS[outcome], provider_id=provider_id, note=note
    )
    tx.changed(_of_refund(known), _of_refund(refund))
    return _of_refund(refund)


def _of_charge(charge: Charge) -> Resolvable:
    failure, said = charge.failure, charge.resolution
    return Resolvable(
        id=charge.id,
        kind=charge.kind,
        invoice_id=charge.invoice_id,
        customer_id=charge.customer_id,
        amount=charge.amount,
        provider=charge.provider,
        reference=charge.reference,
        provider_id=charge.provider_id,
        state=charge.state,
        failure_code=failure.code if failure else "",
        failure_reason=failure.reason if failure else "",
        note=said.note if said else "",
        resolved_at=said.at if said else None,
        created_at=charge.created_at,
    )


def _of_refund(refund: Refund) -> Resolvable:
    return Resolvable(
        id=refund.id,
        kind="refund",
        invoice_id=refund.invoice_id,
        customer_id=refund.customer_id,
        amount=refund.amount,
        provider=refund.provider,
        reference=refund.reference,
        provider_id=refund.provider_id,
        state=refund.state,
        failure_code=refund.failure_code or "",
        failure_reason=refund.failure_reason,
        note=refund.note,
        resolved_at=refund.resolved_at,
        created_at=refund.created_at,
    )


def _of_transfer(transfer: Transfer) -> Resolvable:
    failure, said = transfer.failure, transfer.resolution
    return Resolvable(
        id=transfer.id,
        kind="transfer",
        bill_id=transfer.bill_id,
        customer_id=transfer.customer_id,
        amount=transfer.amount,
        provider=transfer.provider,
        reference=transfer.reference,
        provider_id=transfer.provider_id,
        state=transfer.state,
        failure_code=failure.code if failure else "",
        failure_reason=failure.reason if failure else "",
        note=said.note if said else "",
        resolved_at=said.at if said else None,
        created_at=transfer.created_at,
    )
