-- What is due of subscriptions, wallets and realtime usage goes onto the agenda.

CREATE TEMPORARY TABLE moved_due_work ON COMMIT DROP AS
SELECT org_id, is_test, 'period_close' AS kind, subscription_id AS subject, due_at
FROM due_subscriptions
UNION ALL
SELECT org_id, is_test, 'reservation_expiry', id, expires_at
FROM wallet_reservations WHERE status = 'open'
UNION ALL
SELECT org_id, is_test, 'credit_expiry', id, sweep_at
FROM credit_grants WHERE sweep_at IS NOT NULL AND expired_at IS NULL AND revoked_at IS NULL
UNION ALL
SELECT DISTINCT org_id, is_test, 'wallet_credited', customer_id, '-infinity'::timestamptz
FROM credited_wallets
UNION ALL
SELECT org_id, is_test, 'usage_changed', customer_id, '-infinity'::timestamptz
FROM watched_customers WHERE changed_at > charged_at;

INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
SELECT moved.org_id, moved.is_test, moved.kind, moved.subject, due.due_at,
    CASE
        WHEN moved.kind = 'usage_changed' OR NOT moved.is_test OR clock.now_at IS NULL
            THEN due.due_at
        WHEN clock.target_at IS NULL AND due.due_at <= clock.now_at THEN now()
        ELSE 'infinity'
    END,
    1, 0, ''
FROM moved_due_work AS moved
LEFT JOIN test_clocks AS clock ON clock.org_id = moved.org_id
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN moved.due_at > '-infinity' THEN moved.due_at
        WHEN moved.is_test AND moved.kind <> 'usage_changed' THEN coalesce(clock.now_at, now())
        ELSE now()
    END AS due_at
) AS due;

DROP TABLE due_subscriptions;
DROP TABLE credited_wallets;

-- Whose usage is charged as it changes.
DROP INDEX watched_customers_changed;
ALTER TABLE watched_customers DROP COLUMN changed_at;
ALTER TABLE watched_customers DROP COLUMN charged_at;

ALTER TABLE credit_grants DROP CONSTRAINT credit_grants_swept_after_expiry;
DROP INDEX credit_grants_to_sweep;
ALTER TABLE credit_grants DROP COLUMN sweep_at;

-- A test clock on its way stands on the agenda, so that one left behind is found.
INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
SELECT org_id, true, 'test_clock', org_id, now(), now(), 1, 0, ''
FROM test_clocks WHERE target_at IS NOT NULL;
DROP TABLE test_clock_lookups;
