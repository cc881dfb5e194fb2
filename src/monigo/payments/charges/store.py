"""The SQL of charges."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.errors import conflict
from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentMethodId,
    TopUpId,
    WalletId,
)
from monigo.core.money import Money
from monigo.infra.db import RowLock, Transaction, violations_as
from monigo.payments.charges.types import (
    LIVE,
    Charge,
    ChargeKind,
    ChargeState,
    Failure,
    Resolution,
)
from monigo.payments.received import Purpose

_COLUMNS = """
    id, kind, purpose, customer_id, invoice_id, wallet_id, top_up_id, connection_id, provider,
    method_id, attempt, reference, currency, amount, description, email, return_url, save_method,
    is_inline, actor, state, failure_code, failure_reason, failure_is_final, provider_id, url,
    access_code, expires_at, created_at, submitted_at, sent_at, settled_at, asked, asked_at,
    first_not_found_at, needs_person_at, resolved_by, resolved_at, resolution, note,
    is_contradicted
"""

# In the order of the ids, which is that of all locks of charges.
SELECT_BY_ID = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
"""

SELECT_BY_REFERENCES = """
    SELECT id, connection_id, reference FROM charges
    WHERE org_id = $1 AND is_test = $2 AND connection_id = ANY ($3::uuid[])
        AND reference = ANY ($4::text[])
"""

SELECT_BY_PROVIDER_ID = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND provider_id = $4
        AND provider_id <> ''
    ORDER BY id
    LIMIT 1
"""

SELECT_OF_INVOICE = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = $3
    ORDER BY created_at, id
    LIMIT $4
"""

SELECT_OPEN_OF_INVOICES = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[])
        AND state = ANY ($4::text[])
    ORDER BY id
"""

SELECT_LIVE_PULLS = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[]) AND kind = 'pull'
        AND state = ANY ($4::text[])
"""

# An invoice's newest one.
SELECT_LINKS = """
    SELECT DISTINCT ON (invoice_id) invoice_id, url FROM charges
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[])
        AND state = ANY ($4::text[]) AND url <> '' AND expires_at > $5
    ORDER BY invoice_id, created_at DESC, id DESC
"""

SELECT_OF_WALLET = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND created_at >= $4
    ORDER BY created_at DESC, id DESC
    LIMIT $5
"""

SELECT_LIVE_TOP_UP = f"""
    SELECT {_COLUMNS} FROM charges
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND purpose = 'top_up'
        AND state = ANY ($4::text[])
"""

IS_LIVE = """
    SELECT EXISTS (
        SELECT 1 FROM charges
        WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND state = ANY ($4::text[])
    )
"""

IS_METHOD_USED = """
    SELECT EXISTS (
        SELECT 1 FROM charges
        WHERE org_id = $1 AND is_test = $2 AND method_id = $3 AND state = ANY ($4::text[])
    )
"""

SELECT_ATTEMPTS = """
    SELECT subject_id, max(attempt) AS attempt FROM charges
    WHERE org_id = $1 AND is_test = $2 AND kind = $3 AND subject_id = ANY ($4::uuid[])
    GROUP BY subject_id
"""

INSERT = """
    INSERT INTO charges (
        org_id, is_test, id, kind, purpose, customer_id, invoice_id, wallet_id, top_up_id,
        subject_id, connection_id, provider, method_id, attempt, reference, currency, amount,
        description, email, return_url, save_method, is_inline, actor, state, failure_reason,
        failure_is_final, provider_id, url, access_code, expires_at, created_at, asked, note,
        is_contradicted
    )
    SELECT $1, $2, made.id, made.kind, made.purpose, made.customer_id, made.invoice_id,
        made.wallet_id, made.top_up_id,
        coalesce(made.top_up_id, made.wallet_id, made.invoice_id, made.customer_id),
        made.connection_id, made.provider, made.method_id,
        made.attempt, made.reference, made.currency, made.amount, made.description, made.email,
        made.return_url, made.save_method, made.is_inline, made.actor, made.state, '', false,
        '', '', '', made.expires_at, made.created_at, 0, '', false
    FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[],
        $10::uuid[], $11::text[], $12::uuid[], $13::integer[], $14::text[], $15::text[],
        $16::numeric[], $17::text[], $18::text[], $19::text[], $20::boolean[], $21::boolean[],
        $22::text[], $23::text[], $24::timestamptz[], $25::timestamptz[]
    ) AS made (
        id, kind, purpose, customer_id, invoice_id, wallet_id, top_up_id, connection_id, provider,
        method_id, attempt, reference, currency, amount, description, email, return_url,
        save_method, is_inline, actor, state, expires_at, created_at
    )
    RETURNING id
"""

UPDATE = """
    UPDATE charges AS charge
    SET state = made.state, failure_code = made.failure_code,
        failure_reason = made.failure_reason, failure_is_final = made.failure_is_final,
        provider_id = made.provider_id, url = made.url, access_code = made.access_code,
        submitted_at = made.submitted_at, sent_at = made.sent_at, settled_at = made.settled_at,
        asked = made.asked, asked_at = made.asked_at,
        first_not_found_at = made.first_not_found_at, needs_person_at = made.needs_person_at,
        resolved_by = made.resolved_by, resolved_at = made.resolved_at,
        resolution = made.resolution, note = made.note, is_contradicted = made.is_contradicted
    FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[],
        $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::integer[],
        $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::text[],
        $19::timestamptz[], $20::text[], $21::text[], $22::boolean[]
    ) AS made (
        id, state, failure_code, failure_reason, failure_is_final, provider_id, url, access_code,
        submitted_at, sent_at, settled_at, asked, asked_at, first_not_found_at, needs_person_at,
        resolved_by, resolved_at, resolution, note, is_contradicted
    )
    WHERE charge.org_id = $1 AND charge.is_test = $2 AND charge.id = made.id
"""

_ERRORS = {
    name: lambda: conflict("payment_in_flight", "a payment for it is under way already")
    for name in (
        "charges_one_live_pull_per_invoice",
        "charges_one_live_top_up_per_wallet",
        "charges_one_open_checkout_per_invoice_and_provider",
        "charges_reference_used_once",
        "charges_attempts_are_numbered",
    )
}
_LIVE = [state.value for state in LIVE]


async def load(
    tx: Transaction, charge_ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> dict[ChargeId, Charge]:
    """These charges, locked in the order of their ids if a lock is asked for."""
    rows = await tx.fetch(f"{SELECT_BY_ID} {lock.value}", list(charge_ids))
    return {ChargeId(row["id"]): _charge(row) for row in rows}


async def find_by_references(
    tx: Transaction, named: Collection[tuple[UUID, str]]
) -> dict[tuple[UUID, str], ChargeId]:
    """The charges of connections that we gave references, by both; absent where there is none."""
    connection_ids = list({connection_id for connection_id, _ in named})
    references = [reference for _, reference in named]
    rows = await tx.fetch(SELECT_BY_REFERENCES, connection_ids, references) if named else []
    return {(row["connection_id"], row["reference"]): ChargeId(row["id"]) for row in rows}


async def find_by_provider_id(
    tx: Transaction, connection_id: UUID, provider_id: str
) -> Charge | None:
    """The charge of a connection that its provider gave an id."""
    row = await tx.fetchrow(SELECT_BY_PROVIDER_ID, connection_id, provider_id)
    return None if row is None else _charge(row)


async def list_of_invoice(tx: Transaction, invoice_id: UUID, limit: int) -> list[Charge]:
    """An invoice's charges, oldest first."""
    return [_charge(row) for row in await tx.fetch(SELECT_OF_INVOICE, invoice_id, limit)]


async def list_open_of_invoices(
    tx: Transaction, invoice_ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> list[Charge]:
    """The charges of invoices that are live."""
    rows = await tx.fetch(f"{SELECT_OPEN_OF_INVOICES} {lock.value}", list(invoice_ids), _LIVE)
    return [_charge(row) for row in rows]


async def live_pulls(tx: Transaction, invoice_ids: Collection[UUID]) -> dict[InvoiceId, Charge]:
    """The pulls of invoices that are live; absent where there is none."""
    found = [_charge(row) for row in await tx.fetch(SELECT_LIVE_PULLS, list(invoice_ids), _LIVE)]
    return {one.invoice_id: one for one in found if one.invoice_id is not None}


async def links(tx: Transaction, invoice_ids: Collection[UUID]) -> dict[InvoiceId, str]:
    """The newest link of each invoice that can be paid by one now."""
    rows = await tx.fetch(SELECT_LINKS, list(invoice_ids), _LIVE, tx.real_now)
    return {InvoiceId(row["invoice_id"]): row["url"] for row in rows}


async def list_of_wallet(
    tx: Transaction, wallet_id: UUID, since: datetime, limit: int
) -> list[Charge]:
    """A wallet's charges since an instant of the tenant's time, newest first."""
    return [_charge(row) for row in await tx.fetch(SELECT_OF_WALLET, wallet_id, since, limit)]


async def live_top_up(tx: Transaction, wallet_id: UUID) -> Charge | None:
    """The charge that is to top up a wallet and is live."""
    row = await tx.fetchrow(SELECT_LIVE_TOP_UP, wallet_id, _LIVE)
    return None if row is None else _charge(row)


async def is_any_live(tx: Transaction, connection_id: UUID) -> bool:
    """Whether something of a connection is not final."""
    return await tx.fetchval(IS_LIVE, connection_id, _LIVE)


async def is_method_used(tx: Transaction, method_id: UUID) -> bool:
    """Whether a pull by a method is not final."""
    return await tx.fetchval(IS_METHOD_USED, method_id, _LIVE)


async def last_attempts(
    tx: Transaction, kind: ChargeKind, subjects: Collection[UUID]
) -> dict[UUID, int]:
    """The number of the last try for each subject; absent where there was none."""
    rows = await tx.fetch(SELECT_ATTEMPTS, kind, list(subjects))
    return {row["subject_id"]: row["attempt"] for row in rows}


async def insert(tx: Transaction, charges: Sequence[Charge]) -> None:
    """Store new charges.

    Raises:
        DomainError: conflict, where another one for the same is live.
    """
    with violations_as(_ERRORS):
        await tx.execute(
            INSERT,
            [one.id for one in charges],
            [one.kind for one in charges],
            [one.purpose for one in charges],
            [one.customer_id for one in charges],
            [one.invoice_id for one in charges],
            [one.wallet_id for one in charges],
            [one.top_up_id for one in charges],
            [one.connection_id for one in charges],
            [one.provider for one in charges],
            [one.method_id for one in charges],
            [one.attempt for one in charges],
            [one.reference for one in charges],
            [one.amount.currency for one in charges],
            [one.amount.amount for one in charges],
            [one.description for one in charges],
            [one.email for one in charges],
            [one.return_url for one in charges],
            [one.save_method for one in charges],
            [one.is_inline for one in charges],
            [one.actor for one in charges],
            [one.state for one in charges],
            [one.expires_at for one in charges],
            [one.created_at for one in charges],
        )


async def update(tx: Transaction, charges: Sequence[Charge]) -> None:
    """Store what became of locked charges."""
    failures = [one.failure for one in charges]
    resolutions = [one.resolution for one in charges]
    with violations_as(_ERRORS):
        await tx.execute(
            UPDATE,
            [one.id for one in charges],
            [one.state for one in charges],
            [one and one.code for one in failures],
            [one.reason if one else "" for one in failures],
            [bool(one and one.is_final) for one in failures],
            [one.provider_id for one in charges],
            [one.url for one in charges],
            [one.access_code for one in charges],
            [one.submitted_at for one in charges],
            [one.sent_at for one in charges],
            [one.settled_at for one in charges],
            [one.asked for one in charges],
            [one.asked_at for one in charges],
            [one.first_not_found_at for one in charges],
            [one.needs_person_at for one in charges],
            [one and one.by for one in resolutions],
            [one and one.at for one in resolutions],
            [one and one.outcome for one in resolutions],
            [one.note if one else "" for one in resolutions],
            [one.is_contradicted for one in charges],
        )


def _charge(row: asyncpg.Record) -> Charge:
    code, by = row["failure_code"], row["resolved_by"]
    return Charge(
        id=ChargeId(row["id"]),
        kind=ChargeKind(row["kind"]),
        purpose=Purpose(row["purpose"]),
        customer_id=CustomerId(row["customer_id"]),
        invoice_id=row["invoice_id"] and InvoiceId(row["invoice_id"]),
        wallet_id=row["wallet_id"] and WalletId(row["wallet_id"]),
        top_up_id=row["top_up_id"] and TopUpId(row["top_up_id"]),
        connection_id=ConnectionId(row["connection_id"]),
        provider=row["provider"],
        method_id=row["method_id"] and PaymentMethodId(row["method_id"]),
        attempt=row["attempt"],
        reference=row["reference"],
        amount=Money(row["amount"], row["currency"]),
        description=row["description"],
        email=row["email"],
        return_url=row["return_url"],
        save_method=row["save_method"],
        is_inline=row["is_inline"],
        actor=row["actor"],
        state=ChargeState(row["state"]),
        failure=Failure(code, row["failure_reason"], row["failure_is_final"]) if code else None,
        provider_id=row["provider_id"],
        url=row["url"],
        access_code=row["access_code"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        submitted_at=row["submitted_at"],
        sent_at=row["sent_at"],
        settled_at=row["settled_at"],
        asked=row["asked"],
        asked_at=row["asked_at"],
        first_not_found_at=row["first_not_found_at"],
        needs_person_at=row["needs_person_at"],
        resolution=Resolution(by, row["resolved_at"], ChargeState(row["resolution"]), row["note"])
        if by
        else None,
        is_contradicted=row["is_contradicted"],
    )
