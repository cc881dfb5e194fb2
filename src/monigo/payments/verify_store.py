"""The SQL that compares charges, payments, refunds, transfers and provider events."""

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction

COUNT = """
    SELECT (
        SELECT count(*) FROM charges WHERE org_id = $1 AND is_test = $2
    ) AS charges, (
        SELECT count(*) FROM payments WHERE org_id = $1 AND is_test = $2
    ) AS payments, (
        SELECT count(*) FROM refunds WHERE org_id = $1 AND is_test = $2
    ) AS refunds, (
        SELECT count(*) FROM transfers WHERE org_id = $1 AND is_test = $2
    ) AS payout_transfers, (
        SELECT count(*) FROM provider_events WHERE org_id = $1 AND is_test = $2
    ) AS provider_events
"""

# A charge succeeded as long as a payment of it stands, and was reversed once none does.
COMPARE_STATES = """
    SELECT charge.id::text AS subject, charge.state AS stored,
        CASE WHEN brought.standing > 0 THEN 'succeeded'
            WHEN brought.payments > 0 THEN 'reversed' ELSE 'no money' END AS computed
    FROM charges AS charge
    CROSS JOIN LATERAL (
        SELECT count(*) AS payments, count(*) FILTER (WHERE payment.reversed = 0) AS standing
        FROM payments AS payment
        WHERE payment.org_id = $1 AND payment.is_test = $2 AND payment.charge_id = charge.id
    ) AS brought
    WHERE charge.org_id = $1 AND charge.is_test = $2
        AND CASE WHEN brought.standing > 0 THEN 'succeeded'
            WHEN brought.payments > 0 THEN 'reversed' ELSE 'no money' END
            <> CASE WHEN charge.state IN ('succeeded', 'reversed') THEN charge.state
                ELSE 'no money' END
        -- The same money, counted as another channel reported it.
        AND NOT (charge.state = 'succeeded' AND brought.payments = 0)
    ORDER BY charge.id
    LIMIT $3
"""

# What was reversed before anybody knew of it goes nowhere, and what fits nothing back.
COMPARE_PLACES = """
    SELECT id::text AS subject, (to_invoice + to_wallet)::text AS stored, amount::text AS computed
    FROM payments
    WHERE org_id = $1 AND is_test = $2 AND purpose <> 'unmatched'
        AND to_invoice + to_wallet <> amount AND reversed < amount
    ORDER BY id
    LIMIT $3
"""

# Refunds that have not failed, and lost disputes; but not all of a late success of which a dispute
# or a reversal may have taken the same money.
COMPARE_REFUNDED = """
    SELECT payment.id::text AS subject, (payment.refunded + payment.beyond)::text AS stored,
        (gone.refunded + lost.amount)::text AS computed
    FROM payments AS payment
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(refund.amount), 0) AS refunded,
            coalesce(bool_or(refund.state = 'succeeded' AND refund.needs_person_at IS NOT NULL),
                false) AS is_capped
        FROM refunds AS refund
        WHERE refund.org_id = $1 AND refund.is_test = $2 AND refund.payment_id = payment.id
            AND refund.state <> 'failed'
    ) AS gone
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(dispute.lost_amount), 0) AS amount
        FROM disputes AS dispute
        WHERE dispute.org_id = $1 AND dispute.is_test = $2 AND dispute.payment_id = payment.id
    ) AS lost
    WHERE payment.org_id = $1 AND payment.is_test = $2
        AND payment.refunded + payment.beyond <> gone.refunded + lost.amount
        AND NOT gone.is_capped
    ORDER BY payment.id
    LIMIT $3
"""

# What is not final is asked about, until a person decides.
COMPARE_CHARGES_ASKED = """
    SELECT charge.id::text AS subject, '' AS stored, charge.state AS computed
    FROM charges AS charge
    WHERE charge.org_id = $1 AND charge.is_test = $2
        AND charge.state NOT IN ('succeeded', 'failed', 'reversed')
        AND charge.needs_person_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND kind = 'charge_ask' AND subject = charge.id
        )
    ORDER BY charge.id
    LIMIT $3
"""

COMPARE_REFUNDS_ASKED = """
    SELECT refund.id::text AS subject, '' AS stored, refund.state AS computed
    FROM refunds AS refund
    WHERE refund.org_id = $1 AND refund.is_test = $2
        AND refund.state NOT IN ('succeeded', 'failed') AND refund.needs_person_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND kind = 'refund_ask' AND subject = refund.id
        )
    ORDER BY refund.id
    LIMIT $3
"""

# What is to be sent is due, and so is the question what became of what was.
COMPARE_TRANSFERS_DUE = """
    SELECT transfer.id::text AS subject, '' AS stored, transfer.state AS computed
    FROM transfers AS transfer
    WHERE transfer.org_id = $1 AND transfer.is_test = $2
        AND transfer.state NOT IN ('succeeded', 'failed', 'reversed')
        AND transfer.needs_person_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND subject = transfer.id
                AND kind = CASE WHEN transfer.state = 'created'
                    THEN 'transfer_submit' ELSE 'transfer_ask' END
        )
    ORDER BY transfer.id
    LIMIT $3
"""

# What an event says came in, and was taken over, is a payment, by the provider's id or the rail's.
COMPARE_EVENTS = """
    SELECT event.id::text AS subject, event.state AS stored, 'no payment' AS computed
    FROM provider_events AS event
    WHERE event.org_id = $1 AND event.is_test = $2
        AND event.state IN ('applied', 'matched', 'refunded')
        AND event.kind IN ('charge', 'deposit') AND event.payment_state = 'succeeded'
        AND event.reason = '' AND event.amount IS NOT NULL AND event.provider_id <> ''
        AND NOT EXISTS (
            SELECT 1 FROM payments AS payment
            WHERE payment.org_id = $1 AND payment.is_test = $2
                AND payment.connection_id = event.connection_id
                AND payment.provider_id = event.provider_id
        )
        AND NOT EXISTS (
            SELECT 1 FROM payments AS payment
            WHERE payment.org_id = $1 AND payment.is_test = $2
                AND payment.connection_id = event.connection_id
                AND payment.rail_id = event.rail_id AND event.rail_id <> ''
        )
    ORDER BY event.id
    LIMIT $3
"""

# What is not worked off yet is due, or set aside.
COMPARE_EVENTS_DUE = """
    SELECT event.id::text AS subject, '' AS stored, event.state AS computed
    FROM provider_events AS event
    WHERE event.org_id = $1 AND event.is_test = $2 AND event.state IN ('received', 'failed')
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2
                AND kind IN ('provider_event', 'provider_event_look_up') AND subject = event.id
        )
    ORDER BY event.id
    LIMIT $3
"""

COMPARISONS = {
    "payment of a provider event": COMPARE_EVENTS,
    "due work of a provider event": COMPARE_EVENTS_DUE,
    "state of a charge": COMPARE_STATES,
    "payment that went nowhere": COMPARE_PLACES,
    "refunded of a payment": COMPARE_REFUNDED,
    "due work of a charge": COMPARE_CHARGES_ASKED,
    "due work of a refund": COMPARE_REFUNDS_ASKED,
    "due work of a transfer": COMPARE_TRANSFERS_DUE,
}


async def count(tx: Transaction) -> dict[str, int]:
    """How much there is to look at."""
    row = await tx.fetchrow(COUNT)
    return {} if row is None else dict(row)


async def compare(tx: Transaction) -> list[Difference]:
    """Charges, payments, refunds and transfers that differ from each other, or are due nowhere."""
    return [
        Difference(what, row["subject"], row["stored"] or None, row["computed"])
        for what, statement in COMPARISONS.items()
        for row in await tx.fetch(statement, DIFFERENCES_MAX)
    ]
