"""The SQL of collection: how far each unpaid invoice has come."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from monigo.collection.types import Progress, WaitsFor
from monigo.core.ids import CustomerId, InvoiceId, SubscriptionId
from monigo.infra.db import Transaction

COLUMNS = """
    invoice_id, failures, first_failed_at, is_link_only, has_new_method, reminders, suspended_at,
    waits_for
"""

SELECT = f"""
    SELECT {COLUMNS} FROM invoice_collections
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[])
"""

SAVE = """
    INSERT INTO invoice_collections (
        org_id, is_test, invoice_id, failures, first_failed_at, is_link_only, has_new_method,
        reminders, suspended_at, waits_for, updated_at
    )
    SELECT $1, $2, one.invoice_id, one.failures, one.first_failed_at, one.is_link_only,
        one.has_new_method, one.reminders, one.suspended_at, one.waits_for, $11
    FROM unnest(
        $3::uuid[], $4::integer[], $5::timestamptz[], $6::boolean[], $7::boolean[],
        $8::integer[], $9::timestamptz[], $10::text[]
    ) AS one (
        invoice_id, failures, first_failed_at, is_link_only, has_new_method, reminders,
        suspended_at, waits_for
    )
    ON CONFLICT (org_id, is_test, invoice_id) DO UPDATE SET
        failures = excluded.failures, first_failed_at = excluded.first_failed_at,
        is_link_only = excluded.is_link_only, has_new_method = excluded.has_new_method,
        reminders = excluded.reminders, suspended_at = excluded.suspended_at,
        waits_for = excluded.waits_for, updated_at = excluded.updated_at
"""

FORGET = f"""
    DELETE FROM invoice_collections
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[])
    RETURNING {COLUMNS}
"""

# What keeps a subscription suspended: an unpaid invoice that could not be collected.
SELECT_KEPT = """
    SELECT DISTINCT invoice.subscription_id
    FROM invoices AS invoice
    JOIN invoice_collections AS progress ON progress.org_id = $1 AND progress.is_test = $2
        AND progress.invoice_id = invoice.id
    WHERE invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.subscription_id = ANY ($3::uuid[])
        AND (
            invoice.status IN ('payment_failed', 'uncollectible')
            OR (invoice.status = 'finalized' AND progress.suspended_at IS NOT NULL)
        )
"""


# Each once: what still keeps one from being charged is noted as it is looked at.
RELEASE_WAITING = """
    UPDATE invoice_collections SET waits_for = '', updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND invoice_id IN (
        SELECT invoice_id FROM invoice_collections
        WHERE org_id = $1 AND is_test = $2 AND waits_for = $3
        ORDER BY invoice_id
        LIMIT $5
        FOR NO KEY UPDATE
    )
    RETURNING invoice_id
"""

SELECT_WAITING_OF_CUSTOMERS = """
    SELECT progress.invoice_id
    FROM invoice_collections AS progress
    JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.id = progress.invoice_id
    WHERE progress.org_id = $1 AND progress.is_test = $2 AND progress.waits_for = $3
        AND invoice.customer_id = ANY ($4::uuid[])
"""


async def load(tx: Transaction, invoice_ids: Collection[UUID]) -> dict[InvoiceId, Progress]:
    """How far these invoices have come; those of which nothing is noted are absent."""
    rows = await tx.fetch(SELECT, list(invoice_ids))
    return {InvoiceId(row["invoice_id"]): _progress(row) for row in rows}


async def save(tx: Transaction, changed: Sequence[Progress]) -> None:
    """Store how far locked invoices have come."""
    if changed:
        await tx.execute(
            SAVE,
            [one.invoice_id for one in changed],
            [one.failures for one in changed],
            [one.first_failed_at for one in changed],
            [one.is_link_only for one in changed],
            [one.has_new_method for one in changed],
            [one.reminders for one in changed],
            [one.suspended_at for one in changed],
            [one.waits_for for one in changed],
            tx.now,
        )


async def forget(tx: Transaction, invoice_ids: Sequence[UUID]) -> list[Progress]:
    """Forget how far invoices have come that are settled; what was noted of them."""
    return [_progress(row) for row in await tx.fetch(FORGET, invoice_ids)]


async def release_waiting(tx: Transaction, waits_for: WaitsFor, limit: int) -> list[InvoiceId]:
    """Take invoices as waiting no more that wait for something; the first few of them."""
    rows = await tx.fetch(RELEASE_WAITING, waits_for, tx.now, limit)
    return [InvoiceId(row["invoice_id"]) for row in rows]


async def waiting_of_customers(
    tx: Transaction, customer_ids: Collection[CustomerId], waits_for: WaitsFor
) -> list[InvoiceId]:
    """The invoices of customers that wait for something."""
    rows = await tx.fetch(SELECT_WAITING_OF_CUSTOMERS, waits_for, list(customer_ids))
    return [InvoiceId(row["invoice_id"]) for row in rows]


async def kept_suspended(
    tx: Transaction, subscription_ids: Collection[SubscriptionId]
) -> set[SubscriptionId]:
    """Which of these subscriptions have an invoice that could not be collected, and is unpaid."""
    rows = await tx.fetch(SELECT_KEPT, list(subscription_ids))
    return {SubscriptionId(row["subscription_id"]) for row in rows}


def _progress(row: asyncpg.Record) -> Progress:
    return Progress(
        invoice_id=InvoiceId(row["invoice_id"]),
        failures=row["failures"],
        first_failed_at=row["first_failed_at"],
        is_link_only=row["is_link_only"],
        has_new_method=row["has_new_method"],
        reminders=row["reminders"],
        suspended_at=row["suspended_at"],
        waits_for=WaitsFor(row["waits_for"]),
    )
