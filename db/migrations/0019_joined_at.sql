-- When a subscription was put on a plan: what edits for new subscribers are told by. It may have been
-- before the phase itself starts, where the plan was changed before the first period.
ALTER TABLE subscriptions ADD COLUMN phase_joined_at timestamptz;
UPDATE subscriptions
SET phase_joined_at = CASE
    WHEN phase_started_at = start_date THEN created_at
    ELSE phase_started_at
END;
ALTER TABLE subscriptions ALTER COLUMN phase_joined_at SET NOT NULL;

ALTER TABLE subscription_phases ADD COLUMN joined_at timestamptz;
UPDATE subscription_phases AS phase
SET joined_at = CASE
    WHEN phase.started_at = known.start_date THEN known.created_at
    ELSE phase.started_at
END
FROM subscriptions AS known
WHERE known.org_id = phase.org_id AND known.is_test = phase.is_test
    AND known.id = phase.subscription_id;
ALTER TABLE subscription_phases ALTER COLUMN joined_at SET NOT NULL;
