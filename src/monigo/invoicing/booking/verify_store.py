"""The SQL that compares the books with invoices, bills and what was paid of them."""

from collections.abc import Sequence

import asyncpg

from monigo.books import DOCUMENT, PAYOUT
from monigo.infra.db import Transaction

# What each document in the books is to have there. What refunds gave up of the VAT is left out, but
# of a void one, which has none left. What is written off is bad debt in place of a receivable.
_EXPECTED = """
    SELECT invoice.id::text AS id, invoice.customer_id, invoice.currency,
        CASE WHEN owed.is_receivable AND invoice.status <> 'uncollectible'
            THEN invoice.amount_paid - invoice.total ELSE 0 END AS receivable,
        CASE WHEN owed.is_receivable AND invoice.status = 'uncollectible'
            THEN invoice.amount_paid - invoice.total ELSE 0 END AS bad_debt,
        CASE WHEN invoice.status <> 'void' THEN invoice.vat_amount ELSE 0 END AS vat,
        CASE WHEN invoice.plan_type = 'payout' AND invoice.status <> 'void'
            THEN invoice.total ELSE 0 END AS payable,
        CASE WHEN invoice.status <> 'void' THEN invoice.wht_amount ELSE 0 END AS withheld,
        CASE WHEN invoice.plan_type = 'collection' AND invoice.status <> 'void'
            THEN invoice.amount_paid - invoice.wallet_paid END AS received
    FROM invoices AS invoice
    CROSS JOIN LATERAL (
        SELECT invoice.plan_type = 'collection'
            AND invoice.status IN ('finalized', 'payment_failed', 'uncollectible')
    ) AS owed (is_receivable)
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.is_booked
"""

# The same as the ledger has it, by bookings and by wallets' payments that refer to the document.
_BOOKED = f"""
    SELECT transfer.reference_id AS id,
        coalesce(sum(side.change) FILTER (WHERE account.kind = 'receivable'), 0) AS receivable,
        coalesce(sum(side.change) FILTER (WHERE account.kind = 'bad_debt'), 0) AS bad_debt,
        coalesce(sum(side.change) FILTER (WHERE account.kind = 'tax_payable'), 0) AS vat,
        coalesce(
            sum(side.change) FILTER (
                WHERE account.kind = 'tax_payable' AND transfer.entry_type <> 'charge_refund'
            ), 0
        ) AS vat_before_refunds,
        coalesce(
            sum(side.change) FILTER (
                WHERE account.kind = 'payable' AND transfer.entry_type IN ('bill', 'void')
            ), 0
        ) AS payable,
        coalesce(
            sum(side.change) FILTER (WHERE account.kind = 'withholding_payable'), 0
        ) AS withheld,
        coalesce(
            sum(side.change) FILTER (
                WHERE account.kind = 'receivable' AND transfer.entry_type = 'payment'
            ), 0
        ) AS received
    FROM ledger_transfers AS transfer
    CROSS JOIN LATERAL (
        VALUES (transfer.from_account_id, -transfer.amount),
            (transfer.to_account_id, transfer.amount)
    ) AS side (account_id, change)
    JOIN ledger_accounts AS account ON account.org_id = $1 AND account.is_test = $2
        AND account.id = side.account_id AND account.customer_id IS NOT NULL
    WHERE transfer.org_id = $1 AND transfer.is_test = $2
        AND transfer.reference_type IN ('{DOCUMENT}', 'invoice')
    GROUP BY transfer.reference_id
"""

COMPARE_DOCUMENTS = f"""
    WITH expected AS ({_EXPECTED}), booked AS ({_BOOKED})
    SELECT part.what, coalesce(expected.id, booked.id) AS subject, part.stored, part.computed
    FROM expected
    FULL JOIN booked ON booked.id = expected.id
    CROSS JOIN LATERAL (
        VALUES ('receivable of an invoice', booked.receivable, expected.receivable),
            ('bad debt of an invoice', booked.bad_debt, expected.bad_debt),
            ('VAT of an invoice',
                CASE WHEN expected.vat <> 0 THEN booked.vat_before_refunds ELSE booked.vat END,
                expected.vat),
            ('payable of a bill', booked.payable, expected.payable),
            ('tax withheld of a bill', booked.withheld, expected.withheld),
            ('payments of an invoice', booked.received,
                coalesce(expected.received, booked.received))
    ) AS part (what, stored, computed)
    WHERE coalesce(part.stored, 0) <> coalesce(part.computed, 0)
    ORDER BY subject, part.what
    LIMIT $3
"""

# The balance of each customer's account, whatever its transfers refer to, but for what payees got
# that was not owed: that is no document's.
COMPARE_CUSTOMERS = f"""
    WITH expected AS (
        SELECT document.customer_id, document.currency, part.kind, sum(part.amount) AS amount
        FROM ({_EXPECTED}) AS document
        CROSS JOIN LATERAL (
            VALUES ('receivable', document.receivable), ('bad_debt', document.bad_debt)
        ) AS part (kind, amount)
        GROUP BY document.customer_id, document.currency, part.kind
    ), booked AS (
        SELECT account.customer_id, account.currency, account.kind,
            account.balance + coalesce(excess.amount, 0) AS balance
        FROM ledger_accounts AS account
        LEFT JOIN (
            SELECT side.account_id, sum(side.amount) AS amount
            FROM ledger_transfers AS transfer
            CROSS JOIN LATERAL (
                VALUES (transfer.from_account_id, transfer.amount),
                    (transfer.to_account_id, -transfer.amount)
            ) AS side (account_id, amount)
            WHERE transfer.org_id = $1 AND transfer.is_test = $2
                AND transfer.reference_type = '{PAYOUT}'
            GROUP BY side.account_id
        ) AS excess ON excess.account_id = account.id
        WHERE account.org_id = $1 AND account.is_test = $2 AND account.customer_id IS NOT NULL
            AND account.kind IN ('receivable', 'bad_debt')
    )
    SELECT coalesce(expected.kind, booked.kind) || ' of a customer' AS what,
        coalesce(expected.customer_id, booked.customer_id) || ' '
            || coalesce(expected.currency, booked.currency) AS subject,
        booked.balance AS stored, expected.amount AS computed
    FROM expected
    FULL JOIN booked ON booked.customer_id = expected.customer_id
        AND booked.currency = expected.currency AND booked.kind = expected.kind
    WHERE coalesce(booked.balance, 0) <> coalesce(expected.amount, 0)
    ORDER BY subject, what
    LIMIT $3
"""


async def compare(tx: Transaction, limit: int) -> Sequence[asyncpg.Record]:
    """Where the books differ from documents, and customers' accounts from all of theirs."""
    return [
        row
        for statement in (COMPARE_DOCUMENTS, COMPARE_CUSTOMERS)
        for row in await tx.fetch(statement, limit)
    ]
