"""The SQL of transfers."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from monigo.core.errors import conflict
from monigo.core.ids import (
    ConnectionId,
    CustomerId,
    InvoiceId,
    PayoutAccountId,
    PayoutLegId,
    PayoutTransferId,
    TransferBatchId,
)
from monigo.core.money import Money
from monigo.infra.db import RowLock, Transaction, violations_as
from monigo.payments.transfers.types import (
    LIVE,
    Destination,
    Failure,
    Resolution,
    Transfer,
    TransferState,
)
from monigo.providers.port import PayoutMethod

_COLUMNS = """
    id, leg_id, bill_id, customer_id, payout_account_id, payout_method, bank_code, bank_name,
    account_name, number_ciphertext, last4, connection_id, provider, attempt, reference, currency,
    amount, narration, actor, state, needs_otp, is_alone, is_excess, failure_code, failure_reason,
    failure_is_final, batch_id, provider_id, rail_id, fee, created_at, submitted_at, sent_at,
    waiting_since, settled_at, asked, asked_at, first_not_found_at, needs_person_at, resolved_by,
    resolved_at, resolution, note, is_contradicted
"""

# In the order of the ids, which is that of all locks of transfers.
SELECT_BY_ID = f"""
    SELECT {_COLUMNS} FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
"""

SELECT_BY_REFERENCE = f"""
    SELECT {_COLUMNS} FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND reference = $4
"""

SELECT_OF_LEGS = f"""
    SELECT {_COLUMNS} FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND leg_id = ANY ($3::uuid[])
    ORDER BY id
"""

# Of one that was paid after all, the others of its leg matter.
SELECT_LEGS_OF = f"""
    SELECT {_COLUMNS} FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND leg_id IN (
        SELECT leg_id FROM transfers WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    )
    ORDER BY id
    FOR NO KEY UPDATE
"""

SELECT_LIVE_OF_BILLS = f"""
    SELECT {_COLUMNS} FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND bill_id = ANY ($3::uuid[]) AND state = ANY ($4::text[])
    ORDER BY id
"""

IS_LIVE = """
    SELECT EXISTS (
        SELECT 1 FROM transfers
        WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND state = ANY ($4::text[])
    )
"""

# What went to these accounts a moment ago, by what can be seen of their numbers.
SELECT_SENT_SINCE = """
    SELECT bank_code, last4, amount, max(sent_at) AS sent_at FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND sent_at > $4
        AND last4 = ANY ($5::text[])
    GROUP BY bank_code, last4, amount
"""

INSERT = """
    INSERT INTO transfers (
        org_id, is_test, id, leg_id, bill_id, customer_id, payout_account_id, payout_method,
        bank_code, bank_name, account_name, number_ciphertext, last4, connection_id, provider,
        attempt, reference, currency, amount, narration, actor, state, needs_otp, is_alone,
        is_excess, failure_reason, failure_is_final, provider_id, rail_id, created_at, asked, note,
        is_contradicted
    )
    SELECT $1, $2, made.id, made.leg_id, made.bill_id, made.customer_id, made.payout_account_id,
        made.payout_method, made.bank_code, made.bank_name, made.account_name,
        made.number_ciphertext, made.last4, made.connection_id, made.provider, made.attempt,
        made.reference, made.currency, made.amount, made.narration, $20, 'created', false, false,
        false, '', false, '', '', $21, 0, '', false
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::bytea[], $13::text[], $14::uuid[], $15::text[],
        $16::integer[], $17::text[], $18::text[], $19::numeric[], $22::text[]
    ) AS made (
        id, leg_id, bill_id, customer_id, payout_account_id, payout_method, bank_code, bank_name,
        account_name, number_ciphertext, last4, connection_id, provider, attempt, reference,
        currency, amount, narration
    )
    RETURNING id
"""

UPDATE = """
    UPDATE transfers AS transfer
    SET state = made.state, needs_otp = made.needs_otp, is_alone = made.is_alone,
        is_excess = made.is_excess, failure_code = made.failure_code,
        failure_reason = made.failure_reason, failure_is_final = made.failure_is_final,
        batch_id = made.batch_id, provider_id = made.provider_id, rail_id = made.rail_id,
        fee = made.fee, submitted_at = made.submitted_at, sent_at = made.sent_at,
        waiting_since = made.waiting_since, settled_at = made.settled_at, asked = made.asked,
        asked_at = made.asked_at, first_not_found_at = made.first_not_found_at,
        needs_person_at = made.needs_person_at, resolved_by = made.resolved_by,
        resolved_at = made.resolved_at, resolution = made.resolution, note = made.note,
        is_contradicted = made.is_contradicted
    FROM unnest(
        $3::uuid[], $4::text[], $5::boolean[], $6::boolean[], $7::boolean[], $8::text[],
        $9::text[], $10::boolean[], $11::uuid[], $12::text[], $13::text[], $14::numeric[],
        $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[],
        $19::integer[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::text[],
        $24::timestamptz[], $25::text[], $26::text[], $27::boolean[]
    ) AS made (
        id, state, needs_otp, is_alone, is_excess, failure_code, failure_reason, failure_is_final,
        batch_id, provider_id, rail_id, fee, submitted_at, sent_at, waiting_since, settled_at,
        asked, asked_at, first_not_found_at, needs_person_at, resolved_by, resolved_at, resolution,
        note, is_contradicted
    )
    WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.id = made.id
"""

# The turn that is free next, and from when on the one after it is.
TAKE_TURN = """
    INSERT INTO transfer_turns AS turn (org_id, is_test, connection_id, free_at)
    VALUES ($1, $2, $3, $4::timestamptz + $5::interval)
    ON CONFLICT (org_id, is_test, connection_id) DO UPDATE
    SET free_at = greatest(turn.free_at, $4::timestamptz) + $5::interval
    RETURNING free_at - $5::interval
"""

_ERRORS = {
    name: lambda: conflict("payout_in_flight", "a transfer for it is under way, or was paid")
    for name in (
        "transfers_one_live_per_leg",
        "transfers_reference_used_once",
        "transfers_attempts_are_numbered",
    )
}
_LIVE = [state.value for state in LIVE]


async def load(
    tx: Transaction, transfer_ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> dict[PayoutTransferId, Transfer]:
    """These transfers, locked in the order of their ids if a lock is asked for."""
    rows = await tx.fetch(f"{SELECT_BY_ID} {lock.value}", list(transfer_ids))
    return {PayoutTransferId(row["id"]): _transfer(row) for row in rows}


async def lock_legs_of(
    tx: Transaction, transfer_ids: Collection[UUID]
) -> dict[PayoutTransferId, Transfer]:
    """These transfers with all others of their legs, locked in the order of their ids."""
    rows = await tx.fetch(SELECT_LEGS_OF, list(transfer_ids))
    return {PayoutTransferId(row["id"]): _transfer(row) for row in rows}


async def find_by_reference(
    tx: Transaction, connection_id: UUID, reference: str
) -> Transfer | None:
    """The transfer of a connection that we gave a reference."""
    row = await tx.fetchrow(SELECT_BY_REFERENCE, connection_id, reference)
    return None if row is None else _transfer(row)


async def list_of_legs(
    tx: Transaction, leg_ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> list[Transfer]:
    """All transfers of legs, in the order of their locks."""
    rows = await tx.fetch(f"{SELECT_OF_LEGS} {lock.value}", list(leg_ids))
    return [_transfer(row) for row in rows]


async def list_live_of_bills(
    tx: Transaction, bill_ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> list[Transfer]:
    """The transfers of bills that are not settled, in the order of their locks."""
    rows = await tx.fetch(f"{SELECT_LIVE_OF_BILLS} {lock.value}", list(bill_ids), _LIVE)
    return [_transfer(row) for row in rows]


async def is_any_live(tx: Transaction, connection_id: UUID) -> bool:
    """Whether something of a connection is not final."""
    return await tx.fetchval(IS_LIVE, connection_id, _LIVE)


async def sent_since(
    tx: Transaction, connection_id: UUID, since: datetime, endings: Collection[str]
) -> dict[tuple[str, str, object], datetime]:
    """When a bank's accounts with these last digits were sent an amount last, since an instant."""
    rows = await tx.fetch(SELECT_SENT_SINCE, connection_id, since, list(endings))
    return {(row["bank_code"], row["last4"], row["amount"]): row["sent_at"] for row in rows}


async def take_turn(tx: Transaction, connection_id: UUID, gap: timedelta) -> datetime:
    """When a connection's next bulk may be sent: nobody else gets that turn."""
    return await tx.fetchval(TAKE_TURN, connection_id, tx.real_now, gap)


async def insert(tx: Transaction, transfers: Sequence[Transfer]) -> None:
    """Store new transfers.

    Raises:
        DomainError: conflict, where another one of the same leg is live.
    """
    with violations_as(_ERRORS):
        await tx.execute(
            INSERT,
            [one.id for one in transfers],
            [one.leg_id for one in transfers],
            [one.bill_id for one in transfers],
            [one.customer_id for one in transfers],
            [one.to.payout_account_id for one in transfers],
            [one.to.method for one in transfers],
            [one.to.bank_code for one in transfers],
            [one.to.bank_name for one in transfers],
            [one.to.account_name for one in transfers],
            [one.to.number_ciphertext for one in transfers],
            [one.to.last4 for one in transfers],
            [one.connection_id for one in transfers],
            [one.provider for one in transfers],
            [one.attempt for one in transfers],
            [one.reference for one in transfers],
            [one.amount.currency for one in transfers],
            [one.amount.amount for one in transfers],
            str(tx.principal),
            tx.now,
            [one.narration for one in transfers],
        )


async def update(tx: Transaction, transfers: Sequence[Transfer]) -> None:
    """Store what became of locked transfers."""
    failures = [one.failure for one in transfers]
    resolutions = [one.resolution for one in transfers]
    await tx.execute(
        UPDATE,
        [one.id for one in transfers],
        [one.state for one in transfers],
        [one.needs_otp for one in transfers],
        [one.is_alone for one in transfers],
        [one.is_excess for one in transfers],
        [one and one.code for one in failures],
        [one.reason if one else "" for one in failures],
        [bool(one and one.is_final) for one in failures],
        [one.batch_id for one in transfers],
        [one.provider_id for one in transfers],
        [one.rail_id for one in transfers],
        [None if one.fee is None else one.fee.amount for one in transfers],
        [one.submitted_at for one in transfers],
        [one.sent_at for one in transfers],
        [one.waiting_since for one in transfers],
        [one.settled_at for one in transfers],
        [one.asked for one in transfers],
        [one.asked_at for one in transfers],
        [one.first_not_found_at for one in transfers],
        [one.needs_person_at for one in transfers],
        [one and one.by for one in resolutions],
        [one and one.at for one in resolutions],
        [one and one.outcome for one in resolutions],
        [one.note if one else "" for one in resolutions],
        [one.is_contradicted for one in transfers],
    )


def _transfer(row: asyncpg.Record) -> Transfer:
    code, by, currency = row["failure_code"], row["resolved_by"], row["currency"]
    return Transfer(
        id=PayoutTransferId(row["id"]),
        leg_id=PayoutLegId(row["leg_id"]),
        bill_id=InvoiceId(row["bill_id"]),
        customer_id=CustomerId(row["customer_id"]),
        to=Destination(
            payout_account_id=PayoutAccountId(row["payout_account_id"]),
            method=PayoutMethod(row["payout_method"]),
            bank_code=row["bank_code"],
            bank_name=row["bank_name"],
            account_name=row["account_name"],
            number_ciphertext=row["number_ciphertext"],
            last4=row["last4"],
        ),
        connection_id=ConnectionId(row["connection_id"]),
        provider=row["provider"],
        attempt=row["attempt"],
        reference=row["reference"],
        amount=Money(row["amount"], currency),
        narration=row["narration"],
        actor=row["actor"],
        state=TransferState(row["state"]),
        needs_otp=row["needs_otp"],
        is_alone=row["is_alone"],
        is_excess=row["is_excess"],
        failure=Failure(code, row["failure_reason"], row["failure_is_final"]) if code else None,
        batch_id=row["batch_id"] and TransferBatchId(row["batch_id"]),
        provider_id=row["provider_id"],
        rail_id=row["rail_id"],
        fee=None if row["fee"] is None else Money(row["fee"], currency),
        created_at=row["created_at"],
        submitted_at=row["submitted_at"],
        sent_at=row["sent_at"],
        waiting_since=row["waiting_since"],
        settled_at=row["settled_at"],
        asked=row["asked"],
        asked_at=row["asked_at"],
        first_not_found_at=row["first_not_found_at"],
        needs_person_at=row["needs_person_at"],
        resolution=Resolution(by, row["resolved_at"], TransferState(row["resolution"]), row["note"])
        if by
        else None,
        is_contradicted=row["is_contradicted"],
    )
