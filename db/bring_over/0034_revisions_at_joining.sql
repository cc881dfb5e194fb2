-- The plan's revision when a subscription was put on it, which decides whether edits for new subscriptions
-- apply. An instant alone would not do, because a test clock may stand still. Until now an edit of the very
-- instant counted as made before.
ALTER TABLE subscriptions ADD COLUMN phase_joined_revision integer;
UPDATE subscriptions AS known
SET phase_joined_revision = (
    SELECT max(revision) FROM plan_revisions
    WHERE org_id = known.org_id AND is_test = known.is_test AND plan_id = known.plan_id
        AND effective_at <= known.phase_joined_at
);
ALTER TABLE subscriptions ALTER COLUMN phase_joined_revision SET NOT NULL;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_joined_revision_fkey
    FOREIGN KEY (org_id, is_test, plan_id, phase_joined_revision)
    REFERENCES plan_revisions (org_id, is_test, plan_id, revision) ON DELETE RESTRICT;

ALTER TABLE subscription_phases ADD COLUMN joined_revision integer;
UPDATE subscription_phases AS known
SET joined_revision = (
    SELECT max(revision) FROM plan_revisions
    WHERE org_id = known.org_id AND is_test = known.is_test AND plan_id = known.plan_id
        AND effective_at <= known.joined_at
);
ALTER TABLE subscription_phases ALTER COLUMN joined_revision SET NOT NULL;
ALTER TABLE subscription_phases ADD CONSTRAINT subscription_phases_joined_revision_fkey
    FOREIGN KEY (org_id, is_test, plan_id, joined_revision)
    REFERENCES plan_revisions (org_id, is_test, plan_id, revision) ON DELETE RESTRICT;
