-- Long jobs that have not ended stand on the agenda, so that one that fell out of the queue is put
-- back.
INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
SELECT org_id, is_test, 'replay_watch', id, now(), now(), 1, 0, ''
FROM replay_jobs WHERE status IN ('pending', 'processing')
UNION ALL
SELECT org_id, is_test, 'plan_simulation_watch', id, now(), now(), 1, 0, ''
FROM plan_simulations WHERE status IN ('pending', 'processing');
