"""The SQL that compares payouts with bills, transfers and the books."""

from decimal import Decimal

from monigo.books import PAYOUT
from monigo.core.money import format_decimal
from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction

COUNT = """
    SELECT (
        SELECT count(*) FROM payouts WHERE org_id = $1 AND is_test = $2
    ) AS payouts, (
        SELECT count(*) FROM payout_legs WHERE org_id = $1 AND is_test = $2
    ) AS "legs of payouts"
"""

# What arrived of each bill.
COMPARE_BILLS = """
    SELECT bill.id::text AS subject, bill.amount_paid AS stored, paid.amount AS computed
    FROM invoices AS bill
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(leg.amount), 0) AS amount FROM payout_legs AS leg
        WHERE leg.org_id = $1 AND leg.is_test = $2 AND leg.bill_id = bill.id
            AND leg.state = 'paid'
    ) AS paid
    WHERE bill.org_id = $1 AND bill.is_test = $2 AND bill.plan_type = 'payout'
        AND bill.amount_paid <> paid.amount
    ORDER BY bill.id
    LIMIT $3
"""

# All legs of a bill that has any come to what it is over.
COMPARE_LEGS = """
    SELECT leg.bill_id::text AS subject, sum(leg.amount) AS stored, bill.total AS computed
    FROM payout_legs AS leg
    JOIN invoices AS bill ON bill.org_id = $1 AND bill.is_test = $2 AND bill.id = leg.bill_id
    WHERE leg.org_id = $1 AND leg.is_test = $2
    GROUP BY leg.bill_id, bill.total
    HAVING sum(leg.amount) <> bill.total
    ORDER BY leg.bill_id
    LIMIT $3
"""

# What a transfer sends is what it pays of legs.
COMPARE_PARTS = """
    SELECT transfer.id::text AS subject, transfer.amount AS stored, parts.amount AS computed
    FROM transfers AS transfer
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(part.amount), 0) AS amount FROM payout_parts AS part
        WHERE part.org_id = $1 AND part.is_test = $2 AND part.transfer_id = transfer.id
    ) AS parts
    WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.amount <> parts.amount
    ORDER BY transfer.id
    LIMIT $3
"""

# A leg is paid by a transfer that arrived, and sent by one whose end is open.
COMPARE_STATES = """
    SELECT leg.id::text AS subject, leg.state AS stored, transfer.state AS computed
    FROM payout_legs AS leg
    JOIN transfers AS transfer ON transfer.org_id = $1 AND transfer.is_test = $2
        AND transfer.id = leg.transfer_id
    WHERE leg.org_id = $1 AND leg.is_test = $2
        AND (leg.state = 'paid') <> (transfer.state = 'succeeded')
    UNION ALL
    SELECT leg.id::text, leg.state, transfer.state
    FROM payout_parts AS part
    JOIN payout_legs AS leg ON leg.org_id = $1 AND leg.is_test = $2 AND leg.id = part.leg_id
    JOIN transfers AS transfer ON transfer.org_id = $1 AND transfer.is_test = $2
        AND transfer.id = part.transfer_id
    WHERE part.org_id = $1 AND part.is_test = $2 AND transfer.state = 'succeeded'
        AND NOT part.is_excess AND leg.transfer_id IS DISTINCT FROM transfer.id
    ORDER BY subject
    LIMIT $3
"""

# What is due is looked at.
COMPARE_DUE = """
    SELECT payout.bill_id::text AS subject, '' AS stored, payout.state AS computed
    FROM payouts AS payout
    WHERE payout.org_id = $1 AND payout.is_test = $2 AND payout.state IN ('due', 'blocked')
        AND payout.held_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND kind = 'payout' AND subject = payout.bill_id
        )
    ORDER BY payout.bill_id
    LIMIT $3
"""

# What each payee is owed, what is on its way, and what payees have beside what was owed. What bills
# made payable is compared with them by invoicing.
COMPARE_BOOKS = f"""
    WITH expected AS (
        SELECT leg.customer_id, leg.currency, part.kind, sum(part.amount) AS amount
        FROM payout_legs AS leg
        CROSS JOIN LATERAL (
            VALUES ('payable', CASE WHEN leg.is_in_flight OR leg.state = 'paid'
                    THEN -leg.amount ELSE 0 END),
                ('payouts_in_flight', CASE WHEN leg.is_in_flight THEN leg.amount ELSE 0 END)
        ) AS part (kind, amount)
        WHERE leg.org_id = $1 AND leg.is_test = $2
        GROUP BY leg.customer_id, leg.currency, part.kind
        UNION ALL
        SELECT leg.customer_id, leg.currency, 'receivable', -sum(part.amount)
        FROM payout_parts AS part
        JOIN payout_legs AS leg ON leg.org_id = $1 AND leg.is_test = $2 AND leg.id = part.leg_id
        WHERE part.org_id = $1 AND part.is_test = $2 AND part.is_excess
        GROUP BY leg.customer_id, leg.currency
    ), booked AS (
        SELECT account.customer_id, account.currency, account.kind, sum(side.change) AS amount
        FROM ledger_transfers AS transfer
        CROSS JOIN LATERAL (
            VALUES (transfer.from_account_id, -transfer.amount),
                (transfer.to_account_id, transfer.amount)
        ) AS side (account_id, change)
        JOIN ledger_accounts AS account ON account.org_id = $1 AND account.is_test = $2
            AND account.id = side.account_id
            AND account.kind IN ('payable', 'payouts_in_flight', 'receivable')
        WHERE transfer.org_id = $1 AND transfer.is_test = $2
            AND transfer.reference_type = '{PAYOUT}'
        GROUP BY account.customer_id, account.currency, account.kind
    )
    SELECT coalesce(expected.kind, booked.kind) || ' '
            || coalesce(expected.customer_id, booked.customer_id) AS subject,
        booked.amount AS stored, expected.amount AS computed
    FROM expected
    FULL JOIN booked ON booked.customer_id = expected.customer_id
        AND booked.currency = expected.currency AND booked.kind = expected.kind
    WHERE coalesce(booked.amount, 0) <> coalesce(expected.amount, 0)
    ORDER BY subject
    LIMIT $3
"""

# Of what arrived, what its provider took is booked; of what did not, or came back, nothing is.
COMPARE_FEES = f"""
    WITH booked AS (
        SELECT fee.reference_id, sum(
            CASE WHEN account.id = fee.from_account_id THEN fee.amount ELSE -fee.amount END
        ) AS amount
        FROM ledger_transfers AS fee
        JOIN ledger_accounts AS account ON account.org_id = $1 AND account.is_test = $2
            AND account.id IN (fee.from_account_id, fee.to_account_id)
            AND account.kind = 'provider_fees'
        WHERE fee.org_id = $1 AND fee.is_test = $2 AND fee.reference_type = '{PAYOUT}'
        GROUP BY fee.reference_id
    )
    SELECT transfer.id::text AS subject, booked.amount AS stored, expected.amount AS computed
    FROM transfers AS transfer
    CROSS JOIN LATERAL (
        SELECT CASE WHEN transfer.state = 'succeeded' THEN coalesce(transfer.fee, 0) ELSE 0 END
    ) AS expected (amount)
    LEFT JOIN booked ON booked.reference_id = transfer.id::text
    WHERE transfer.org_id = $1 AND transfer.is_test = $2
        AND coalesce(booked.amount, 0) <> expected.amount
    ORDER BY transfer.id
    LIMIT $3
"""

COMPARISONS = {
    "paid out of a bill": COMPARE_BILLS,
    "legs of a bill": COMPARE_LEGS,
    "amount of a transfer": COMPARE_PARTS,
    "state of a leg": COMPARE_STATES,
    "due work of a payout": COMPARE_DUE,
    "payouts in the books": COMPARE_BOOKS,
    "fee of a transfer": COMPARE_FEES,
}


async def count(tx: Transaction) -> dict[str, int]:
    """How much there is to look at."""
    row = await tx.fetchrow(COUNT)
    return {} if row is None else dict(row)


async def compare(tx: Transaction) -> list[Difference]:
    """Payouts that differ from bills, transfers or the books."""
    return [
        Difference(what, row["subject"], _text(row["stored"]), _text(row["computed"]))
        for what, statement in COMPARISONS.items()
        for row in await tx.fetch(statement, DIFFERENCES_MAX)
    ]


def _text(value: Decimal | str | None) -> str | None:
    return format_decimal(value) if isinstance(value, Decimal) else value or None
