-- Payments, failed tries, overdue invoices and cards that expire are published as billing events.
-- What happened before is published, too, so that each fact of a type has its name.
UPDATE outbox_facts SET published_as = 'payment.success' WHERE type = 'PaymentReceived';
UPDATE outbox_facts SET published_as = 'invoice.overdue' WHERE type = 'InvoiceOverdue';
UPDATE outbox_facts SET published_as = 'payment.failed'
WHERE type = 'ChargeFailed' AND payload ->> 'kind' = 'pull' AND payload ->> 'code' <> 'superseded';

-- As `payments.methods.expiring` puts it: thirty days before the month after its last one begins.
INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
SELECT org_id, is_test, 'payment_method_expiry', id, expiry.soon_at, expiry.soon_at, 1, 0, ''
FROM payment_methods
CROSS JOIN LATERAL (
    SELECT (
        make_timestamp(exp_year + exp_month / 12, exp_month % 12 + 1, 1, 0, 0, 0)
        - interval '30 days'
    ) AT TIME ZONE 'UTC' AS soon_at
) AS expiry
WHERE removed_at IS NULL AND exp_month IS NOT NULL AND exp_year IS NOT NULL;
