-- What is forgotten after its time stands on the agenda where there is something to forget.
INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
SELECT org_id, is_test, 'idempotency_expiry', org_id, now() + interval '25 hours',
    now() + interval '25 hours', 1, 0, ''
FROM (SELECT DISTINCT org_id, is_test FROM idempotency_records) AS known
UNION ALL
SELECT org_id, is_test, 'event_retention', org_id, now(), now(), 1, 0, ''
FROM (SELECT DISTINCT org_id, is_test FROM usage_events) AS known;

INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
SELECT known.org_id, known.is_test, 'billing_event_expiry', known.org_id, known.due_at,
    CASE WHEN known.is_test AND clock.now_at IS NOT NULL THEN 'infinity' ELSE known.due_at END,
    1, 0, ''
FROM (
    SELECT org_id, is_test, max(created_at) + interval '91 days' AS due_at
    FROM outbox_events GROUP BY org_id, is_test
) AS known
LEFT JOIN test_clocks AS clock ON clock.org_id = known.org_id;
