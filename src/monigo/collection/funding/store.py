"""All SQL of funding: payments are compared with deposits in wallets, and with the books."""

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction

COUNT = """
    SELECT count(*) FROM payments
    WHERE org_id = $1 AND is_test = $2 AND purpose IN ('wallet', 'top_up', 'card_setup')
"""

# What was received for a wallet is one deposit in it.
COMPARE_CREDITED = """
    WITH booked AS MATERIALIZED (
        SELECT reference_id, to_account_id, sum(amount) AS amount
        FROM ledger_transfers
        WHERE org_id = $1 AND is_test = $2 AND reference_type = 'payment'
            AND entry_type = 'deposit' AND idempotency_key = ''
        GROUP BY reference_id, to_account_id
    )
    SELECT payment.id::text AS subject, booked.amount::text AS stored,
        payment.amount::text AS computed
    FROM payments AS payment
    LEFT JOIN wallets AS wallet
        ON wallet.org_id = $1 AND wallet.is_test = $2 AND wallet.id = payment.wallet_id
    LEFT JOIN booked
        ON booked.reference_id = payment.id::text AND booked.to_account_id = wallet.money_account_id
    WHERE payment.org_id = $1 AND payment.is_test = $2
        AND payment.purpose IN ('wallet', 'top_up', 'card_setup')
        -- What had gone back before anybody knew of it was never credited.
        AND payment.to_wallet > 0
        AND booked.amount IS DISTINCT FROM payment.amount
    ORDER BY payment.id
    LIMIT $3
"""

# A deposit that refers to a payment is that payment's.
COMPARE_BOOKED = """
    SELECT transfer.reference_id AS subject, transfer.amount::text AS stored, NULL AS computed
    FROM ledger_transfers AS transfer
    WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.reference_type = 'payment'
        AND transfer.entry_type = 'deposit' AND transfer.idempotency_key = ''
        AND NOT EXISTS (
            SELECT 1 FROM payments
            WHERE org_id = $1 AND is_test = $2 AND id::text = transfer.reference_id
        )
    ORDER BY transfer.id
    LIMIT $3
"""

# What a provider kept of a payment that went somewhere is booked once, as far as the merchant bears
# it.
COMPARE_FEES = """
    WITH booked AS MATERIALIZED (
        SELECT reference_id, sum(amount) AS amount
        FROM ledger_transfers
        WHERE org_id = $1 AND is_test = $2 AND reference_type = 'payment'
            AND entry_type = 'provider_fee'
        GROUP BY reference_id
    )
    SELECT payment.id::text AS subject, booked.amount::text AS stored,
        (payment.fee - payment.fee_by_payer)::text AS computed
    FROM payments AS payment
    LEFT JOIN booked ON booked.reference_id = payment.id::text
    WHERE payment.org_id = $1 AND payment.is_test = $2
        AND payment.to_invoice + payment.to_wallet > 0
        AND coalesce(booked.amount, 0) <> greatest(payment.fee - payment.fee_by_payer, 0)
    ORDER BY payment.id
    LIMIT $3
"""

# What went back of payments and nobody covered is a loss; lost disputes of invoices are one, too.
COMPARE_UNCOVERED = """
    WITH booked AS MATERIALIZED (
        SELECT reference_id, sum(amount) AS amount
        FROM ledger_transfers
        WHERE org_id = $1 AND is_test = $2 AND reference_type = 'payment' AND entry_type = 'loss'
        GROUP BY reference_id
    )
    SELECT payment.id::text AS subject, payment.uncovered::text AS stored,
        booked.amount::text AS computed
    FROM payments AS payment
    LEFT JOIN booked ON booked.reference_id = payment.id::text
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(lost_amount), 0) AS amount FROM disputes
        WHERE org_id = $1 AND is_test = $2 AND payment_id = payment.id
            AND payment.purpose = 'invoice'
    ) AS disputed
    WHERE payment.org_id = $1 AND payment.is_test = $2
        AND coalesce(booked.amount, 0)
            NOT BETWEEN payment.uncovered AND payment.uncovered + disputed.amount
    ORDER BY payment.id
    LIMIT $3
"""

# What went back of what an invoice took of each payment, and what its wallet and credits had back.
COMPARE_REFUNDED = """
    SELECT invoice.id::text AS subject, invoice.amount_refunded::text AS stored,
        (of_payments.amount + to_sources.amount)::text AS computed
    FROM invoices AS invoice
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(least(refunded, to_invoice)), 0) AS amount FROM payments
        WHERE org_id = $1 AND is_test = $2 AND invoice_id = invoice.id
    ) AS of_payments
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount FROM refunds
        WHERE org_id = $1 AND is_test = $2 AND invoice_id = invoice.id AND payment_id IS NULL
            AND state = 'succeeded'
    ) AS to_sources
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.plan_type = 'collection'
        -- Of a void one nothing is noted any more.
        AND invoice.status <> 'void'
        AND invoice.amount_refunded <> of_payments.amount + to_sources.amount
    ORDER BY invoice.id
    LIMIT $3
"""

COMPARISONS = {
    "refunded of an invoice": COMPARE_REFUNDED,
    "provider's fee of a payment": COMPARE_FEES,
    "loss of a payment": COMPARE_UNCOVERED,
    "payment into a wallet": COMPARE_CREDITED,
    "deposit of no payment": COMPARE_BOOKED,
}


async def count(tx: Transaction) -> dict[str, int]:
    """How much there is to look at."""
    return {"payments into wallets": await tx.fetchval(COUNT)}


async def compare(tx: Transaction) -> list[Difference]:
    """Payments that differ from the deposits that they are."""
    return [
        Difference(what, row["subject"], row["stored"] or None, row["computed"])
        for what, statement in COMPARISONS.items()
        for row in await tx.fetch(statement, DIFFERENCES_MAX)
    ]
