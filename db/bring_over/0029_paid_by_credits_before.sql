-- What wallets paid before its sources were kept, by the ledger's own transfers.

UPDATE invoices SET wallet_paid = total
WHERE billing_mode <> 'postpaid' AND status = 'paid' AND paid_reference = '' AND total > 0;

-- Of a running period the newest payments make up what is still charged: what came before was used
-- by its interim invoices.
UPDATE realtime_charges AS charge
SET parts = (
    SELECT coalesce(
        jsonb_agg(
            jsonb_build_array(part.grant_id, part.metric_id, part.amount::text)
            ORDER BY part.last_used_at, part.grant_id, part.metric_id
        ),
        '[]'
    )
    FROM (
        SELECT credit.id AS grant_id, taken.metadata ->> 'metric_id' AS metric_id,
            sum(least(taken.amount, charge.charged - taken.later)) AS amount,
            max(taken.created_at) AS last_used_at
        FROM (
            SELECT transfer.from_account_id, transfer.metadata, transfer.amount,
                transfer.created_at, coalesce(
                    sum(transfer.amount) OVER (
                        ORDER BY transfer.created_at DESC, transfer.id DESC
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ),
                    0
                ) AS later
            FROM ledger_transfers AS transfer
            WHERE transfer.org_id = charge.org_id AND transfer.is_test = charge.is_test
                AND transfer.idempotency_key = ''
                AND transfer.reference_type = 'subscription_period'
                AND transfer.reference_id = charge.subscription_id || '/' || to_char(
                    charge.period_start AT TIME ZONE 'UTC',
                    CASE date_trunc('second', charge.period_start, 'UTC')
                        WHEN charge.period_start THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                        ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
                    END
                )
        ) AS taken
        LEFT JOIN credit_grants AS credit ON credit.org_id = charge.org_id
            AND credit.is_test = charge.is_test AND credit.account_id = taken.from_account_id
        WHERE taken.later < charge.charged
        GROUP BY credit.id, taken.metadata ->> 'metric_id'
    ) AS part
)
WHERE charge.charged > 0;

-- What was charged for a period whose closing invoice waits for a credit belongs to the invoice.
UPDATE invoices AS invoice
SET wallet_paid = charge.charged, wallet_parts = charge.parts
FROM realtime_charges AS charge
WHERE charge.org_id = invoice.org_id AND charge.is_test = invoice.is_test
    AND charge.subscription_id = invoice.subscription_id
    AND charge.period_start = invoice.period_start AND charge.charged > 0
    AND charge.charged <= invoice.total AND invoice.kind = 'closing'
    AND invoice.billing_mode = 'realtime'
    AND invoice.status IN ('finalized', 'payment_failed', 'uncollectible');
UPDATE realtime_charges AS charge
SET charged = 0, parts = '[]'
FROM invoices AS invoice
WHERE charge.org_id = invoice.org_id AND charge.is_test = invoice.is_test
    AND charge.subscription_id = invoice.subscription_id
    AND charge.period_start = invoice.period_start AND charge.charged = invoice.wallet_paid
    AND charge.charged > 0 AND invoice.kind = 'closing' AND invoice.billing_mode = 'realtime'
    AND invoice.status IN ('finalized', 'payment_failed', 'uncollectible');
