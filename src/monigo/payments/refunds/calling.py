"""Sends refunds, and asks what became of them, outside of any transaction."""

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, InvariantError
from monigo.core.ids import RefundId
from monigo.infra.db import Database, Tenant, Transaction
from monigo.payments import charges
from monigo.payments.charges import Desk
from monigo.payments.refunds import rules, service
from monigo.payments.refunds.types import Refund, RefundState
from monigo.providers import port
from monigo.providers.port import (
    Cause,
    Facts,
    Failed,
    FailureCode,
    Outcome,
    Succeeded,
    Unknown,
    Verb,
    outcome_of,
)
from monigo.providers.registry import adapter_of

# Of the refunds of a connection, where a provider lists them all: a thousand or so.
PAGES_MAX = 20


async def submit_refund(
    desk: Desk, database: Database, tenant: Tenant, refund_id: RefundId
) -> Refund:
    """Send a refund that was not sent, or ask what became of it; as it stands then.

    Of two at once one sends, and the other asks. Where a provider knows refunds by our reference,
    one that it never got is sent again; elsewhere never, and a person decides.

    Raises:
        DomainError: not_found.
    """
    async with database.transaction(tenant) as tx:
        refund, intent = await _next(tx, refund_id)
    if not refund.is_live:
        return refund
    if intent is not None:
        return await _send(desk, database, tenant, refund, intent)
    outcome = await _question(desk, database, tenant, refund)
    async with database.transaction(tenant) as tx:
        refund = await service.apply_outcome(tx, refund_id, outcome, is_call=True)
        intent = await _again(tx, refund)
    return refund if intent is None else await _send(desk, database, tenant, refund, intent)


async def _send(
    desk: Desk, database: Database, tenant: Tenant, refund: Refund, intent: port.Refund
) -> Refund:
    outcome = await _ask(desk, database, tenant, refund, intent)
    async with database.transaction(tenant) as tx:
        return await service.apply_outcome(tx, refund.id, outcome, is_answer=True)


async def _next(tx: Transaction, refund_id: RefundId) -> tuple[Refund, port.Refund | None]:
    before, payment = await service.lock_refund(tx, refund_id)
    if before.state is not RefundState.CREATED:
        return before, None
    sent = replace(
        before, state=RefundState.SUBMITTED, submitted_at=before.submitted_at or tx.real_now
    )
    refund = await service.save(tx, before, sent, payment)
    return refund, await _intent(tx, refund)


async def _again(tx: Transaction, refund: Refund) -> port.Refund | None:
    """The same refund, to be sent again, where its provider never got it and repeats are safe."""
    repeat = adapter_of(refund.provider).capabilities.repeat.get(Verb.REFUND)
    if not rules.is_missing(refund, tx.real_now) or not charges.may_send_again(repeat):
        return None
    return await _intent(tx, refund)


async def _intent(tx: Transaction, refund: Refund) -> port.Refund:
    reference, charge_id = await _charged(tx, refund)
    return port.Refund(
        reference=refund.reference,
        charge_reference=reference,
        charge_id=charge_id,
        amount=refund.amount,
        reason=refund.reason,
    )


async def _charged(tx: Transaction, refund: Refund) -> tuple[str, str]:
    """Our reference and the provider's id of what is refunded."""
    if refund.payment_id is None:
        raise InvariantError("what a provider refunds is a payment")
    payment = await charges.get_payment(tx, refund.payment_id)
    reference = ""
    if payment.charge_id is not None:
        reference = (await charges.get_charge(tx, payment.charge_id)).reference
    return reference, payment.provider_id


async def _question(desk: Desk, database: Database, tenant: Tenant, refund: Refund) -> Outcome:
    """What a provider says of a refund that may have arrived.

    Where it has no reference of ours, it is looked for among the refunds of its charge.
    """
    known = adapter_of(refund.provider).capabilities
    if refund.provider_id or Verb.LIST_REFUNDS not in known.verbs:
        named = refund.provider_id
        question = port.Lookup(kind=port.Kind.REFUND, reference=refund.reference, provider_id=named)
        return await _ask(desk, database, tenant, refund, question)
    async with database.transaction(tenant) as tx:
        reference, charge_id = await _charged(tx, refund)
    page: int | None = 1
    for _ in range(PAGES_MAX):
        listing = port.ListRefunds(charge_reference=reference, charge_id=charge_id, page=page)
        outcome = await _ask(desk, database, tenant, refund, listing)
        if not isinstance(outcome, Succeeded) or not isinstance(outcome.result, Facts):
            return outcome if isinstance(outcome, Unknown) else Unknown(cause=Cause.REFUSED)
        for fact in outcome.result.facts:
            if refund.reference in rules.references_in(fact):
                return outcome_of(fact)
        page = outcome.result.next_page
        if page is None:
            return Unknown(cause=Cause.NOT_FOUND)
    return Unknown(cause=Cause.REFUSED, detail="there are more refunds than can be looked through")


async def _ask(
    desk: Desk, database: Database, tenant: Tenant, refund: Refund, intent: port.Intent
) -> Outcome:
    if refund.connection_id is None:
        raise InvariantError("a provider refunds by a connection")
    try:
        return await desk.ask(database, tenant, refund.connection_id, intent)
    except DomainError as error:
        if error.kind is not ErrorKind.INVALID:
            raise
        faults = "; ".join(f"{name} {fault}" for name, fault in error.fields.items())
        return Failed(code=FailureCode.INVALID_REQUEST, reason=faults, is_final=False)
