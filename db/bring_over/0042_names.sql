-- What is called as `db/migrations` call it.

COMMENT ON COLUMN subscriptions.phase_joined_at
    IS 'when it was put on its plan, maybe before the phase starts: what tells edits for new ones';
COMMENT ON COLUMN subscriptions.phase_joined_revision
    IS 'the plan''s revision as it was put on it: a test clock may hold times still';
COMMENT ON COLUMN subscriptions.cancel_at
    IS 'the end of the period that ran as cancel_at_period_end was set';
COMMENT ON COLUMN subscriptions.scheduled_plan_id IS 'the plan that it is to be on from then on';
COMMENT ON COLUMN subscriptions.trial_plan_id IS 'whose trial it began with, whatever came then';

-- From version 18 on, PostgreSQL names these after the table, which had another name once.
DO $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT made.conrelid::regclass AS target, made.conname AS name,
            format('%s_%s_not_null', known.relname, part.attname) AS present_name
        FROM pg_constraint AS made
        JOIN pg_class AS known ON known.oid = made.conrelid
        JOIN pg_attribute AS part ON part.attrelid = made.conrelid AND part.attnum = made.conkey[1]
        WHERE made.contype = 'n' AND known.relname IN (
            'usage_hours', 'usage_hour_values', 'billing_events'
        )
    LOOP
        EXECUTE format(
            'ALTER TABLE %s RENAME CONSTRAINT %I TO %I', old.target, old.name, old.present_name
        );
    END LOOP;
END
$$;
