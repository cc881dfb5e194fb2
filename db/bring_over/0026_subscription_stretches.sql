-- No instant of a customer's usage belongs to two subscriptions of one plan type. Besides: when a
-- subscription ends with its period, a change of plan that is to come, and whose trial it had.

-- One value for each customer and plan type of a tenant, as a range that a GiST index takes without
-- an extension. That two of them share one of 2^64 values is not to be expected.
CREATE FUNCTION stretch_slot(org_id uuid, is_test boolean, customer_id uuid, plan_type text)
RETURNS numrange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT numrange(slot, slot, '[]')
    FROM hashtextextended(org_id::text || is_test::text || customer_id::text || plan_type, 0) AS slot
);

-- The instants whose usage a subscription may bill: from its start to its end, but its pauses. The
-- rows of a deleted subscription stay.
CREATE TABLE subscription_stretches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan_type text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT subscription_stretches_pkey
        PRIMARY KEY (org_id, is_test, subscription_id, started_at),
    CONSTRAINT subscription_stretches_end_after_start CHECK (ended_at > started_at),
    CONSTRAINT subscription_stretches_never_overlap EXCLUDE USING gist (
        stretch_slot(org_id, is_test, customer_id, plan_type) WITH &&,
        tstzrange(started_at, ended_at) WITH &&
    )
);
COMMENT ON COLUMN subscription_stretches.ended_at IS 'exclusive; NULL: no end is known yet';
SELECT restrict_to_tenant('subscription_stretches');
GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_stretches TO monigo_app;
ALTER TABLE subscription_stretches ADD CONSTRAINT subscription_stretches_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX subscription_stretches_of_customer
    ON subscription_stretches (org_id, is_test, customer_id, plan_type, ended_at);

-- Where subscriptions overlapped before this rule, the instants belong to the one made first, and the
-- later one's stretches are cut: it goes on, and `monigo verify` names it, so that the merchant can
-- void what was billed twice.
INSERT INTO subscription_stretches (
    org_id, is_test, subscription_id, customer_id, plan_type, started_at, ended_at
)
SELECT org_id, is_test, id, customer_id, plan_type, lower(stretch), upper(stretch)
FROM (
    SELECT org_id, is_test, id, customer_id, plan_type,
        taken - coalesce(
            range_agg(taken) OVER (
                PARTITION BY org_id, is_test, customer_id, plan_type
                ORDER BY created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            '{}'::tstzmultirange
        ) AS own
    FROM (
        SELECT known.org_id, known.is_test, known.id, known.customer_id, known.plan_type,
            known.created_at,
            CASE WHEN known.canceled_at <= known.start_date THEN '{}'::tstzmultirange
                ELSE tstzmultirange(
                    tstzrange(known.start_date, coalesce(known.canceled_at, known.end_date))
                )
            END - coalesce(pauses.paused, '{}'::tstzmultirange) AS taken
        FROM subscriptions AS known
        LEFT JOIN (
            SELECT org_id, is_test, subscription_id,
                range_agg(tstzrange(started_at, ended_at)) AS paused
            FROM subscription_pauses
            GROUP BY org_id, is_test, subscription_id
        ) AS pauses ON pauses.org_id = known.org_id AND pauses.is_test = known.is_test
            AND pauses.subscription_id = known.id
    ) AS lives
) AS cut
CROSS JOIN LATERAL unnest(own) AS stretch;

-- With the flag, the end of the period that ran when it was set. Where it was set before this column
-- was there, the first period that is open decides, as it did; those are looked at now, for a pause
-- does not keep them from ending any more.
ALTER TABLE subscriptions ADD COLUMN cancel_at timestamptz;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_cancel_at_is_flagged
    CHECK (cancel_at IS NULL OR cancel_at_period_end);
INSERT INTO due_subscriptions (org_id, is_test, subscription_id, due_at, attempts)
SELECT org_id, is_test, id, created_at, 0 FROM subscriptions
WHERE cancel_at_period_end AND status <> 'canceled'
ON CONFLICT (org_id, is_test, subscription_id)
    DO UPDATE SET due_at = excluded.due_at, attempts = 0;

-- The plan that a subscription is to be on from an instant on; a canceled one has none to come.
ALTER TABLE subscriptions ADD COLUMN scheduled_plan_id uuid;
ALTER TABLE subscriptions ADD COLUMN scheduled_at timestamptz;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_scheduled_plan_has_its_time
    CHECK ((scheduled_plan_id IS NULL) = (scheduled_at IS NULL));
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_canceled_has_no_scheduled_plan
    CHECK (status <> 'canceled' OR scheduled_plan_id IS NULL);
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_scheduled_plan_fkey
    FOREIGN KEY (org_id, is_test, scheduled_plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX subscriptions_of_scheduled_plan
    ON subscriptions (org_id, is_test, scheduled_plan_id) WHERE scheduled_plan_id IS NOT NULL;

-- The plan whose trial a subscription began with, whatever plan it went on to.
ALTER TABLE subscriptions ADD COLUMN trial_plan_id uuid;
UPDATE subscriptions AS known
SET trial_plan_id = coalesce(
    (
        SELECT detail::uuid FROM subscription_timeline
        WHERE org_id = known.org_id AND is_test = known.is_test AND subscription_id = known.id
            AND happening = 'created'
    ),
    known.plan_id
)
WHERE known.trial_ends_at IS NOT NULL;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_trial_has_its_plan
    CHECK ((trial_plan_id IS NULL) = (trial_ends_at IS NULL));
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_trial_plan_fkey
    FOREIGN KEY (org_id, is_test, trial_plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;

ALTER TABLE subscription_timeline DROP CONSTRAINT subscription_timeline_happening_known;
ALTER TABLE subscription_timeline ADD CONSTRAINT subscription_timeline_happening_known CHECK (
    happening IN (
        'created', 'paused', 'resumed', 'plan_changed', 'plan_change_scheduled',
        'plan_change_withdrawn', 'cancel_scheduled', 'cancel_withdrawn', 'canceled'
    )
);

-- Whether a customer gets a plan's trial on each subscription to it, instead of once.
ALTER TABLE organizations ADD COLUMN repeated_trials_enabled boolean NOT NULL DEFAULT false;
ALTER TABLE organizations ALTER COLUMN repeated_trials_enabled DROP DEFAULT;
