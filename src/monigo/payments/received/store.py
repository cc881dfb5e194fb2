"""The SQL of payments: money that came in, each once."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentId,
    WalletId,
)
from monigo.core.money import Money
from monigo.infra.db import RowLock, Transaction, joined
from monigo.payments.received.types import Payment, PaymentKind, Placement, Purpose

_COLUMNS = """
    id, connection_id, provider, provider_id, rail_id, reference, kind, purpose, charge_id,
    virtual_account_id, customer_id, currency, amount, fee, fee_by_payer, is_by_person, occurred_at,
    received_at, invoice_id, to_invoice, wallet_id, to_wallet, refunded, reversed, beyond
"""

# A payment that is there already, by the provider's id or the rail's, is not counted again. In the
# order of the ids, so that two transactions that count the same wait for each other.
INSERT = """
    INSERT INTO payments (
        org_id, is_test, id, connection_id, provider, provider_id, rail_id, reference, kind,
        purpose, charge_id, virtual_account_id, customer_id, currency, amount, fee, fee_by_payer,
        is_by_person, occurred_at, received_at, invoice_id, to_invoice, wallet_id, to_wallet,
        refunded, reversed
    )
    SELECT $1, $2, came.id, came.connection_id, came.provider, came.provider_id, came.rail_id,
        came.reference, came.kind, came.purpose, came.charge_id, came.virtual_account_id,
        came.customer_id, came.currency, came.amount, came.fee, came.fee_by_payer,
        came.is_by_person, came.occurred_at, came.received_at, NULL, 0, NULL, 0, 0, came.reversed
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::uuid[], $12::uuid[], $13::uuid[], $14::text[],
        string_to_array($15, ',')::numeric[], string_to_array($16, ',')::numeric[],
        string_to_array($17, ',')::numeric[], $18::boolean[], $19::timestamptz[],
        $20::timestamptz[], string_to_array($21, ',')::numeric[]
    ) AS came (
        id, connection_id, provider, provider_id, rail_id, reference, kind, purpose, charge_id,
        virtual_account_id, customer_id, currency, amount, fee, fee_by_payer, is_by_person,
        occurred_at, received_at, reversed
    )
    ORDER BY came.connection_id, came.provider_id
    ON CONFLICT DO NOTHING
    RETURNING id
"""

# Of what fits nothing, as long as it is not going back.
CLAIM = """
    UPDATE payments
    SET kind = came.kind, purpose = came.purpose, customer_id = came.customer_id,
        charge_id = came.charge_id, virtual_account_id = came.virtual_account_id,
        reference = came.reference
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::text[], $6::text[], string_to_array($7, ',')::numeric[],
        $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[]
    ) AS came (
        id, connection_id, provider_id, currency, amount, kind, purpose, customer_id, charge_id,
        virtual_account_id, reference
    )
    WHERE payments.org_id = $1 AND payments.is_test = $2
        AND payments.connection_id = came.connection_id
        AND payments.provider_id = came.provider_id
        AND payments.currency = came.currency AND payments.amount = came.amount
        AND payments.purpose = 'unmatched' AND payments.refunded + payments.reversed = 0
    RETURNING payments.id, came.id AS claim
"""

SELECT_SAME = f"""
    SELECT {_COLUMNS} FROM payments
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
        AND (provider_id = $4 OR (rail_id = $5 AND $5 <> ''))
    ORDER BY id
    LIMIT 10
"""

SELECT_BY_REFERENCE = f"""
    SELECT {_COLUMNS} FROM payments
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND reference = $4
        AND reference <> ''
    ORDER BY id
    LIMIT 1
"""

SELECT_OF_CHARGES = f"""
    SELECT {_COLUMNS} FROM payments
    WHERE org_id = $1 AND is_test = $2 AND charge_id = ANY ($3::uuid[])
    ORDER BY id
"""

SELECT_BY_ID = f"""
    SELECT {_COLUMNS} FROM payments WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_OF_INVOICE = f"""
    SELECT {_COLUMNS} FROM payments
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = $3
    ORDER BY received_at DESC, id DESC
    LIMIT $4
"""

SELECT_OF_RAILS = f"""
    SELECT {_COLUMNS} FROM payments
    WHERE org_id = $1 AND is_test = $2 AND connection_id = ANY ($3::uuid[])
        AND rail_id = ANY ($4::text[]) AND rail_id <> ''
"""

PLACE = """
    UPDATE payments
    SET invoice_id = placed.invoice_id, to_invoice = placed.to_invoice,
        wallet_id = placed.wallet_id, to_wallet = placed.to_wallet
    FROM unnest(
        $3::uuid[], $4::uuid[], string_to_array($5, ',')::numeric[], $6::uuid[],
        string_to_array($7, ',')::numeric[]
    ) AS placed (id, invoice_id, to_invoice, wallet_id, to_wallet)
    WHERE payments.org_id = $1 AND payments.is_test = $2 AND payments.id = placed.id
"""

REVERSE = """
    UPDATE payments SET reversed = amount - refunded
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

NOTE_UNCOVERED = """
    UPDATE payments SET uncovered = uncovered + $4, uncovered_at = coalesce(uncovered_at, $5)
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

ADOPT = """
    UPDATE payments SET provider_id = $4, is_by_person = false
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# What goes back after all of it had gone is beyond what came.
ADD_REFUNDED = """
    UPDATE payments
    SET refunded = least(refunded + beyond + $4, amount - reversed),
        beyond = greatest(refunded + beyond + $4 - (amount - reversed), 0)
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Of each payment as far as it paid the invoice; the rest of it went to a wallet.
REFUNDED_OF_INVOICE = """
    SELECT coalesce(sum(least(refunded, to_invoice)), 0) FROM payments
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = $3
"""


async def insert(tx: Transaction, payments: Sequence[Payment]) -> set[PaymentId]:
    """Count payments, unless their provider's id or their rail's is known; those that are new."""
    made = await tx.fetch(
        INSERT,
        [one.id for one in payments],
        [one.connection_id for one in payments],
        [one.provider for one in payments],
        [one.provider_id for one in payments],
        [one.rail_id for one in payments],
        [one.reference for one in payments],
        [one.kind for one in payments],
        [one.purpose for one in payments],
        [one.charge_id for one in payments],
        [one.virtual_account_id for one in payments],
        [one.customer_id for one in payments],
        [one.amount.currency for one in payments],
        joined(one.amount.amount for one in payments),
        joined(one.fee for one in payments),
        joined(one.fee_by_payer for one in payments),
        [one.is_by_person for one in payments],
        [one.occurred_at for one in payments],
        [one.received_at for one in payments],
        joined(one.reversed for one in payments),
    )
    return {PaymentId(row["id"]) for row in made}


async def claim(tx: Transaction, payments: Sequence[Payment]) -> dict[PaymentId, PaymentId]:
    """Let payments that fitted nothing be these; the ids that they have, where there are any."""
    claimed = await tx.fetch(
        CLAIM,
        [one.id for one in payments],
        [one.connection_id for one in payments],
        [one.provider_id for one in payments],
        [one.amount.currency for one in payments],
        joined(one.amount.amount for one in payments),
        [one.kind for one in payments],
        [one.purpose for one in payments],
        [one.customer_id for one in payments],
        [one.charge_id for one in payments],
        [one.virtual_account_id for one in payments],
        [one.reference for one in payments],
    )
    return {PaymentId(row["claim"]): PaymentId(row["id"]) for row in claimed}


async def find_same(
    tx: Transaction, connection_id: UUID, provider_id: str, rail_id: str
) -> list[Payment]:
    """Payments of a connection with the provider's id, or with a rail's id that is not empty."""
    rows = await tx.fetch(SELECT_SAME, connection_id, provider_id, rail_id)
    return [_payment(row) for row in rows]


async def of_rails(
    tx: Transaction, connection_ids: Collection[UUID], rail_ids: Collection[str]
) -> list[Payment]:
    """Payments of these connections with one of these ids of the rail's that are not empty."""
    rows = await tx.fetch(SELECT_OF_RAILS, list(connection_ids), list(rail_ids))
    return [_payment(row) for row in rows]


async def find_by_reference(tx: Transaction, connection_id: UUID, reference: str) -> Payment | None:
    """The first payment that came under a reference of ours."""
    row = await tx.fetchrow(SELECT_BY_REFERENCE, connection_id, reference)
    return None if row is None else _payment(row)


async def of_charges(tx: Transaction, charge_ids: Collection[UUID]) -> list[Payment]:
    """What came in by these charges, in the order in which it came."""
    rows = await tx.fetch(SELECT_OF_CHARGES, list(charge_ids))
    return [_payment(row) for row in rows]


async def load(tx: Transaction, payment_id: UUID, lock: RowLock = RowLock.NONE) -> Payment | None:
    """A payment, if there is one of this id."""
    row = await tx.fetchrow(f"{SELECT_BY_ID} {lock.value}", payment_id)
    return None if row is None else _payment(row)


async def list_of_invoice(tx: Transaction, invoice_id: UUID, limit: int) -> Sequence[Payment]:
    """What an invoice got, newest first."""
    return [_payment(row) for row in await tx.fetch(SELECT_OF_INVOICE, invoice_id, limit)]


async def refunded_of_invoice(tx: Transaction, invoice_id: UUID) -> Decimal:
    """What of an invoice's payments has gone back, or is about to, of what the invoice took."""
    return await tx.fetchval(REFUNDED_OF_INVOICE, invoice_id)


async def place(tx: Transaction, placements: Sequence[Placement]) -> None:
    """Store where payments went."""
    await tx.execute(
        PLACE,
        [one.payment_id for one in placements],
        [one.invoice_id for one in placements],
        joined(one.to_invoice for one in placements),
        [one.wallet_id for one in placements],
        joined(one.to_wallet for one in placements),
    )


async def reverse(tx: Transaction, payment_id: UUID) -> None:
    """Note that the provider took back what was left of a locked payment."""
    await tx.execute(REVERSE, payment_id)


async def note_uncovered(tx: Transaction, payment_id: UUID, amount: Decimal) -> None:
    """Note what went back of a locked payment that its customer owes."""
    await tx.execute(NOTE_UNCOVERED, payment_id, amount, tx.now)


async def adopt(tx: Transaction, payment_id: UUID, provider_id: str) -> None:
    """Give a payment that a person reported the id that its provider knows it by."""
    await tx.execute(ADOPT, payment_id, provider_id)


async def add_refunded(tx: Transaction, payment_id: UUID, amount: Decimal) -> None:
    """Count what goes back of a locked payment; below zero, where it stays after all."""
    await tx.execute(ADD_REFUNDED, payment_id, amount)


def _payment(row: asyncpg.Record) -> Payment:
    return Payment(
        id=PaymentId(row["id"]),
        kind=PaymentKind(row["kind"]),
        purpose=Purpose(row["purpose"]),
        connection_id=ConnectionId(row["connection_id"]),
        provider=row["provider"],
        provider_id=row["provider_id"],
        rail_id=row["rail_id"],
        reference=row["reference"],
        charge_id=row["charge_id"] and ChargeId(row["charge_id"]),
        virtual_account_id=row["virtual_account_id"],
        customer_id=row["customer_id"] and CustomerId(row["customer_id"]),
        amount=Money(row["amount"], row["currency"]),
        fee=row["fee"],
        fee_by_payer=row["fee_by_payer"],
        is_by_person=row["is_by_person"],
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
        invoice_id=row["invoice_id"] and InvoiceId(row["invoice_id"]),
        to_invoice=row["to_invoice"],
        wallet_id=row["wallet_id"] and WalletId(row["wallet_id"]),
        to_wallet=row["to_wallet"],
        refunded=row["refunded"],
        reversed=row["reversed"],
        beyond=row["beyond"],
    )
