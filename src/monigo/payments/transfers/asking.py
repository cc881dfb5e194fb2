"""Asks providers what became of transfers, and has those sent again that never arrived."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.core.ids import PayoutTransferId
from monigo.infra.db import Database, Tenant
from monigo.payments.charges import CALL_LASTS, Desk, may_send_again
from monigo.payments.transfers import outcomes, rules, service, store
from monigo.payments.transfers.outcomes import Word
from monigo.payments.transfers.sending import Line, send_singly
from monigo.payments.transfers.types import Transfer, TransferState
from monigo.providers import port
from monigo.providers.port import Cause, Kind, Outcome, Unknown, Verb
from monigo.providers.registry import adapter_of


async def submit(
    desk: Desk, database: Database, tenant: Tenant, transfer_ids: Sequence[PayoutTransferId]
) -> list[Transfer]:
    """Send transfers that were not sent, and ask about the others; as they stand then.

    Of two at once one sends. What a provider has just been sent is left to who sent it.
    """
    async with database.transaction(tenant) as tx:
        known = await store.load(tx, transfer_ids)
    unsent = [one.id for one in known.values() if one.state is TransferState.CREATED]
    await send_singly(Line(desk, database, tenant), unsent)
    others = [one for one in known if one not in unsent]
    await ask_about(desk, database, tenant, others)
    async with database.transaction(tenant) as tx:
        found = await store.load(tx, transfer_ids)
    return [found[one] for one in transfer_ids if one in found]


async def ask_about(
    desk: Desk, database: Database, tenant: Tenant, transfer_ids: Sequence[PayoutTransferId]
) -> None:
    """Ask what became of transfers. What a provider has known nothing of is sent again.

    That is under the same reference, where this can't pay twice; else it waits for a person.
    """
    now = database.real_now()
    async with database.transaction(tenant) as tx:
        known = await store.load(tx, transfer_ids)
    asked = [one for one in known.values() if one.is_in_flight and not _is_being_sent(one, now)]
    line = Line(desk, database, tenant)
    answers = await line.ask_each([(one, _question(one)) for one in asked])
    words = [
        Word(transfer_id=one.id, outcome=answer, is_question=True)
        for one, answer in zip(asked, answers, strict=True)
    ]
    if not words:
        return
    async with database.transaction(tenant) as tx:
        made = await outcomes.apply_words(tx, words)
    missing = [one for one in made if rules.is_missing(one, database.real_now())]
    await _send_again(line, missing)


def _is_being_sent(transfer: Transfer, now: datetime) -> bool:
    return (
        transfer.state is TransferState.SUBMITTED
        and transfer.sent_at is not None
        and transfer.sent_at + CALL_LASTS > now
    )


def _question(transfer: Transfer) -> port.Lookup:
    named = transfer.provider_id
    return port.Lookup(kind=Kind.TRANSFER, reference=transfer.reference, provider_id=named)


async def _send_again(line: Line, missing: Sequence[Transfer]) -> None:
    safe = [
        one.id
        for one in missing
        if may_send_again(adapter_of(one.provider).capabilities.repeat.get(Verb.TRANSFER))
    ]
    if safe:
        await send_singly(line, safe, is_again=True)
    stuck = [one.id for one in missing if one.id not in safe]
    if not stuck:
        return
    async with line.database.transaction(line.tenant) as tx:
        known = await store.lock_legs_of(tx, stuck)
        since = tx.real_now
        await outcomes.save(
            tx,
            [
                (one, replace(one, needs_person_at=one.needs_person_at or since))
                for one in (known[key] for key in stuck)
                if one.is_in_flight
            ],
        )


def expect_password(transfer: Transfer) -> None:
    """Raises conflict for a transfer that waits for no one-time password."""
    if not _waits(transfer):
        raise conflict("otp_not_awaited", "the transfer waits for no one-time password")


async def authorize(
    desk: Desk, database: Database, tenant: Tenant, transfer_id: PayoutTransferId, otp: str
) -> Transfer:
    """Have a provider go on with a transfer, by the one-time password that it sent the merchant.

    One that waits for none, as it may have gone on already, is returned as it stands.

    Raises:
        DomainError: not_found; unsupported, by a provider that takes none; invalid, for a password
            that it refuses.
    """
    async with database.transaction(tenant) as tx:
        transfer = await service.get_transfer(tx, transfer_id)
    if not _waits(transfer):
        return transfer
    intent = port.Authorize(reference=transfer.reference, provider_id=transfer.provider_id, otp=otp)
    answer = await _answer(desk, database, tenant, transfer, intent)
    if isinstance(answer, Unknown) and answer.cause is Cause.REFUSED:
        raise invalid({"otp": answer.detail})
    async with database.transaction(tenant) as tx:
        word = Word(transfer_id=transfer.id, outcome=answer, is_question=True)
        (made,) = await outcomes.apply_words(tx, [word])
    return made


async def resend_otp(
    desk: Desk, database: Database, tenant: Tenant, transfer_id: PayoutTransferId
) -> None:
    """Have a provider send the merchant the one-time password of a transfer anew.

    Raises:
        DomainError: not_found; conflict, where the provider sends none now; unsupported, by a
            provider that sends none.
    """
    async with database.transaction(tenant) as tx:
        transfer = await service.get_transfer(tx, transfer_id)
    if not _waits(transfer):
        return
    intent = port.ResendOtp(reference=transfer.reference, provider_id=transfer.provider_id)
    answer = await _answer(desk, database, tenant, transfer, intent)
    if isinstance(answer, Unknown) and answer.cause is Cause.REFUSED:
        raise conflict("otp_not_sent", answer.detail)


def _waits(transfer: Transfer) -> bool:
    return transfer.state is TransferState.NEEDS_ACTION and transfer.needs_otp


async def _answer(
    desk: Desk, database: Database, tenant: Tenant, transfer: Transfer, intent: port.Intent
) -> Outcome:
    capabilities = adapter_of(transfer.provider).capabilities
    if intent.verb not in capabilities.verbs:
        said = f"{capabilities.title} takes no one-time passwords here"
        raise DomainError(ErrorKind.UNSUPPORTED, "not_supported_by_provider", said)
    return await Line(desk, database, tenant).ask(transfer, intent)
