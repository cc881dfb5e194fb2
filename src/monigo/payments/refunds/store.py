"""The SQL of refunds and disputes."""

from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.errors import conflict
from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    DisputeId,
    InvoiceId,
    PaymentId,
    RefundId,
)
from monigo.core.money import Money
from monigo.infra.db import RowLock, Transaction, violations_as
from monigo.payments.refunds.types import (
    Destination,
    Dispute,
    DisputeState,
    GoneBack,
    Refund,
    RefundState,
)

_COLUMNS = """
    id, payment_id, charge_id, invoice_id, customer_id, connection_id, provider, attempt, reference,
    currency, amount, reason, destination, actor, state, failure_code, failure_reason, provider_id,
    created_at, submitted_at, settled_at, asked, asked_at, first_not_found_at, needs_person_at,
    resolved_by, resolved_at, note
"""

SELECT_BY_ID = f"""
    SELECT {_COLUMNS} FROM refunds WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

IS_LIVE_OF_INVOICE = """
    SELECT EXISTS (
        SELECT 1 FROM refunds
        WHERE org_id = $1 AND is_test = $2 AND invoice_id = $3
            AND state NOT IN ('succeeded', 'failed')
    )
"""

# Of all refunds and lost disputes of an invoice, and of one payment of it.
GONE_BACK = """
    SELECT returned.by_refunds, lost.by_disputes, returned.to_sources,
        returned.of_payment + lost.of_payment AS of_payment
    FROM (
        SELECT coalesce(sum(of_invoice), 0) AS by_refunds,
            coalesce(sum(of_invoice) FILTER (WHERE payment_id = $4), 0) AS of_payment,
            coalesce(sum(amount) FILTER (WHERE payment_id IS NULL), 0) AS to_sources
        FROM refunds
        WHERE org_id = $1 AND is_test = $2 AND invoice_id = $3 AND state = 'succeeded'
    ) AS returned
    CROSS JOIN (
        SELECT coalesce(sum(dispute.of_invoice), 0) AS by_disputes,
            coalesce(sum(dispute.of_invoice) FILTER (WHERE dispute.payment_id = $4), 0)
                AS of_payment
        FROM disputes AS dispute
        JOIN payments AS payment ON payment.org_id = $1 AND payment.is_test = $2
            AND payment.id = dispute.payment_id
        WHERE dispute.org_id = $1 AND dispute.is_test = $2 AND payment.invoice_id = $3
    ) AS lost
"""

NOTE_REFUND = """
    UPDATE refunds SET of_invoice = $4 WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

NOTE_DISPUTE = """
    UPDATE disputes SET of_invoice = $5
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND provider_id = $4
"""

SELECT_BY_WORD = f"""
    SELECT {_COLUMNS} FROM refunds
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
        AND (reference = ANY ($4::text[]) OR (provider_id = $5 AND $5 <> ''))
    ORDER BY id
    LIMIT 1
"""

SELECT_UNNAMED = """
    SELECT id FROM refunds
    WHERE org_id = $1 AND is_test = $2 AND payment_id = $3 AND provider_id = ''
        AND state NOT IN ('succeeded', 'failed')
"""

LAST_ATTEMPT = """
    SELECT coalesce(max(attempt), 0) FROM refunds
    WHERE org_id = $1 AND is_test = $2
        AND (payment_id = $3 OR (payment_id IS NULL AND invoice_id = $3))
"""

IS_LIVE = """
    SELECT EXISTS (
        SELECT 1 FROM refunds
        WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
            AND state NOT IN ('succeeded', 'failed')
    )
"""

INSERT = """
    INSERT INTO refunds (
        org_id, is_test, id, payment_id, charge_id, invoice_id, customer_id, connection_id,
        provider, attempt, reference, currency, amount, reason, destination, actor, state,
        failure_reason, provider_id, created_at, settled_at, asked, note
    )
    VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '', $18, $19,
        $20, 0, ''
    )
"""

UPDATE = """
    UPDATE refunds
    SET state = $4, failure_code = $5, failure_reason = $6, provider_id = $7, submitted_at = $8,
        settled_at = $9, asked = $10, asked_at = $11, first_not_found_at = $12,
        needs_person_at = $13, resolved_by = $14, resolved_at = $15, note = $16
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_DISPUTE = """
    SELECT id, payment_id, connection_id, provider_id, currency, amount, lost_amount, state, reason,
        opened_at, settled_at
    FROM disputes
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND provider_id = $4
"""

IS_DISPUTE_LOST = """
    SELECT EXISTS (
        SELECT 1 FROM disputes
        WHERE org_id = $1 AND is_test = $2 AND payment_id = $3 AND lost_amount > 0
    )
"""

IS_LIVE_OF_PAYMENT = """
    SELECT EXISTS (
        SELECT 1 FROM refunds
        WHERE org_id = $1 AND is_test = $2 AND payment_id = $3
            AND state NOT IN ('succeeded', 'failed')
    )
"""

INSERT_DISPUTE = """
    INSERT INTO disputes (
        org_id, is_test, id, payment_id, connection_id, provider_id, currency, amount, lost_amount,
        state, reason, opened_at, settled_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

UPDATE_DISPUTE = """
    UPDATE disputes SET state = $4, lost_amount = $5, reason = $6, settled_at = $7
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

_ERRORS = {
    name: lambda: conflict("refund_in_flight", "a refund of the payment is under way already")
    for name in ("refunds_one_live_per_payment", "refunds_reference_used_once")
}


async def load(tx: Transaction, refund_id: UUID, lock: RowLock = RowLock.NONE) -> Refund | None:
    """A refund, if there is one of this id."""
    row = await tx.fetchrow(f"{SELECT_BY_ID} {lock.value}", refund_id)
    return None if row is None else _refund(row)


async def is_any_live_of_invoice(tx: Transaction, invoice_id: UUID) -> bool:
    """Whether a refund of an invoice is not final."""
    return await tx.fetchval(IS_LIVE_OF_INVOICE, invoice_id)


async def is_any_live_of_payment(tx: Transaction, payment_id: UUID) -> bool:
    """Whether a refund of a payment is not final."""
    return await tx.fetchval(IS_LIVE_OF_PAYMENT, payment_id)


async def gone_back(tx: Transaction, invoice_id: UUID, payment_id: UUID | None) -> GoneBack:
    """What has gone back of an invoice by all its refunds and lost disputes."""
    row = await tx.fetchrow(GONE_BACK, invoice_id, payment_id)
    return GoneBack(**dict(row or {}))


async def note_refund(tx: Transaction, refund_id: UUID, of_invoice: Decimal) -> None:
    """Store what of a refund that is done came out of what its invoice had taken."""
    await tx.execute(NOTE_REFUND, refund_id, of_invoice)


async def note_dispute(
    tx: Transaction, connection_id: UUID, provider_id: str, of_invoice: Decimal
) -> None:
    """Store what of a lost dispute came out of what its invoice had taken."""
    await tx.execute(NOTE_DISPUTE, connection_id, provider_id, of_invoice)


async def find_by_word(
    tx: Transaction, connection_id: UUID, references: list[str], provider_id: str
) -> Refund | None:
    """The refund of a connection that a provider names by our reference, or by its own id."""
    row = await tx.fetchrow(SELECT_BY_WORD, connection_id, references, provider_id)
    return None if row is None else _refund(row)


async def find_unnamed(tx: Transaction, payment_id: UUID) -> UUID | None:
    """The live refund of a payment that its provider has given no id yet; there is one at most."""
    return await tx.fetchval(SELECT_UNNAMED, payment_id)


async def last_attempt(tx: Transaction, subject: UUID) -> int:
    """The number of the last refund of a payment, or of an invoice's wallet money."""
    return await tx.fetchval(LAST_ATTEMPT, subject)


async def is_any_live(tx: Transaction, connection_id: UUID) -> bool:
    """Whether a refund of a connection is not final."""
    return await tx.fetchval(IS_LIVE, connection_id)


async def insert(tx: Transaction, refund: Refund) -> None:
    """Store a new refund.

    Raises:
        DomainError: conflict, where another one of the payment is live.
    """
    with violations_as(_ERRORS):
        await tx.execute(
            INSERT,
            refund.id,
            refund.payment_id,
            refund.charge_id,
            refund.invoice_id,
            refund.customer_id,
            refund.connection_id,
            refund.provider,
            refund.attempt,
            refund.reference,
            refund.amount.currency,
            refund.amount.amount,
            refund.reason,
            refund.destination,
            refund.actor,
            refund.state,
            refund.provider_id,
            refund.created_at,
            refund.settled_at,
        )


async def update(tx: Transaction, refund: Refund) -> None:
    """Store what became of a locked refund."""
    await tx.execute(
        UPDATE,
        refund.id,
        refund.state,
        refund.failure_code,
        refund.failure_reason,
        refund.provider_id,
        refund.submitted_at,
        refund.settled_at,
        refund.asked,
        refund.asked_at,
        refund.first_not_found_at,
        refund.needs_person_at,
        refund.resolved_by,
        refund.resolved_at,
        refund.note,
    )


async def load_dispute(tx: Transaction, connection_id: UUID, provider_id: str) -> Dispute | None:
    """A dispute, by the provider's id of it."""
    row = await tx.fetchrow(SELECT_DISPUTE, connection_id, provider_id)
    if row is None:
        return None
    return Dispute(
        id=DisputeId(row["id"]),
        payment_id=PaymentId(row["payment_id"]),
        connection_id=ConnectionId(row["connection_id"]),
        provider_id=row["provider_id"],
        amount=Money(row["amount"], row["currency"]),
        lost_amount=row["lost_amount"],
        state=DisputeState(row["state"]),
        reason=row["reason"],
        opened_at=row["opened_at"],
        settled_at=row["settled_at"],
    )


async def is_dispute_lost(tx: Transaction, payment_id: UUID) -> bool:
    """Whether a dispute took something of a payment."""
    return await tx.fetchval(IS_DISPUTE_LOST, payment_id)


async def insert_dispute(tx: Transaction, dispute: Dispute) -> None:
    """Store a new dispute of a locked payment."""
    await tx.execute(
        INSERT_DISPUTE,
        dispute.id,
        dispute.payment_id,
        dispute.connection_id,
        dispute.provider_id,
        dispute.amount.currency,
        dispute.amount.amount,
        dispute.lost_amount,
        dispute.state,
        dispute.reason,
        dispute.opened_at,
        dispute.settled_at,
    )


async def update_dispute(tx: Transaction, dispute: Dispute) -> None:
    """Store what became of a dispute of a locked payment."""
    await tx.execute(
        UPDATE_DISPUTE,
        dispute.id,
        dispute.state,
        dispute.lost_amount,
        dispute.reason,
        dispute.settled_at,
    )


def _refund(row: asyncpg.Record) -> Refund:
    return Refund(
        id=RefundId(row["id"]),
        payment_id=row["payment_id"] and PaymentId(row["payment_id"]),
        charge_id=row["charge_id"] and ChargeId(row["charge_id"]),
        invoice_id=row["invoice_id"] and InvoiceId(row["invoice_id"]),
        customer_id=row["customer_id"] and CustomerId(row["customer_id"]),
        connection_id=row["connection_id"] and ConnectionId(row["connection_id"]),
        provider=row["provider"],
        attempt=row["attempt"],
        reference=row["reference"],
        amount=Money(row["amount"], row["currency"]),
        reason=row["reason"],
        destination=Destination(row["destination"]),
        actor=row["actor"],
        state=RefundState(row["state"]),
        failure_code=row["failure_code"],
        failure_reason=row["failure_reason"],
        provider_id=row["provider_id"],
        created_at=row["created_at"],
        submitted_at=row["submitted_at"],
        settled_at=row["settled_at"],
        asked=row["asked"],
        asked_at=row["asked_at"],
        first_not_found_at=row["first_not_found_at"],
        needs_person_at=row["needs_person_at"],
        resolved_by=row["resolved_by"],
        resolved_at=row["resolved_at"],
        note=row["note"],
    )
