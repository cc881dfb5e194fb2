-- Columns and constraints get the names that `db/migrations` give them.

ALTER TABLE subscriptions RENAME COLUMN settled_at TO late_usage_checked_at;
ALTER TABLE subscriptions RENAME COLUMN phase_joined_at TO phase_agreed_at;
ALTER TABLE subscriptions RENAME COLUMN phase_joined_revision TO phase_agreed_revision;
ALTER TABLE subscriptions
    RENAME CONSTRAINT subscriptions_joined_revision_fkey TO subscriptions_agreed_revision_fkey;
ALTER TABLE subscription_phases RENAME COLUMN joined_at TO agreed_at;
ALTER TABLE subscription_phases RENAME COLUMN joined_revision TO agreed_revision;
ALTER TABLE subscription_phases RENAME CONSTRAINT subscription_phases_joined_revision_fkey
    TO subscription_phases_agreed_revision_fkey;
ALTER TABLE subscription_timeline RENAME COLUMN happening TO event;
ALTER TABLE subscription_timeline
    RENAME CONSTRAINT subscription_timeline_happening_known TO subscription_timeline_event_known;
ALTER TABLE late_usage RENAME COLUMN noted_at TO last_received_at;
ALTER TABLE event_retention RENAME COLUMN blanked_until TO redacted_until;
ALTER TABLE event_retention RENAME CONSTRAINT event_retention_blanks_what_is_not_kept
    TO event_retention_redacts_what_is_not_kept;

COMMENT ON COLUMN subscriptions.phase_started_at IS 'start of the phase on the present plan';
COMMENT ON COLUMN subscriptions.phase_agreed_at
    IS 'when the present plan was agreed, maybe before the phase starts; decides which edits apply';
COMMENT ON COLUMN subscriptions.phase_agreed_revision
    IS 'the plan''s revision at that time: a test clock may hold times still';
COMMENT ON COLUMN subscriptions.cancel_at
    IS 'end of the period that was running when cancel_at_period_end was set';
COMMENT ON COLUMN subscriptions.scheduled_plan_id IS 'the plan that applies from scheduled_at on';
COMMENT ON COLUMN subscriptions.trial_plan_id IS 'the plan whose trial the subscription began with';
COMMENT ON COLUMN subscriptions.closed_until IS 'start of the first period that is not closed';
COMMENT ON COLUMN subscriptions.recheck_from
    IS 'closed periods that end later are checked again with the next period close';
COMMENT ON COLUMN subscriptions.late_usage_checked_at
    IS 'real time of the last check of closed periods for late events';
COMMENT ON COLUMN late_usage.last_received_at IS 'real time at which late events last arrived';

-- From version 18 on, PostgreSQL names these after table and column; some had another name before.
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
            'usage_hours', 'usage_hour_values', 'billing_events', 'subscriptions',
            'subscription_phases', 'subscription_timeline', 'late_usage', 'event_retention'
        )
        AND made.conname <> format('%s_%s_not_null', known.relname, part.attname)
    LOOP
        EXECUTE format(
            'ALTER TABLE %s RENAME CONSTRAINT %I TO %I', old.target, old.name, old.present_name
        );
    END LOOP;
END
$$;
