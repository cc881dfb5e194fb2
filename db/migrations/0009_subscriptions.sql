-- Who is on which plan, since when, when it was paused, and whose usage is whose.

CREATE TABLE subscriptions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    plan_type text NOT NULL,
    status text NOT NULL,
    pause_reason text,
    timezone text NOT NULL,
    billing_period text NOT NULL,
    billing_anchor text NOT NULL,
    anchor_at timestamptz NOT NULL,
    phase_started_at timestamptz NOT NULL,
    start_date timestamptz NOT NULL,
    end_date timestamptz,
    trial_ends_at timestamptz,
    cancel_at_period_end boolean NOT NULL,
    canceled_at timestamptz,
    closed_until timestamptz NOT NULL,
    recheck_from timestamptz,
    late_usage_checked_at timestamptz NOT NULL,
    billing_error text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    phase_agreed_at timestamptz NOT NULL,
    cancel_at timestamptz,
    scheduled_plan_id uuid,
    scheduled_at timestamptz,
    trial_plan_id uuid,
    phase_agreed_revision integer NOT NULL,
    CONSTRAINT subscriptions_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT subscriptions_status_known
        CHECK (status IN ('active', 'paused', 'canceled', 'suspended')),
    CONSTRAINT subscriptions_canceled_has_its_time
        CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
    CONSTRAINT subscriptions_pause_has_its_reason
        CHECK ((status IN ('paused', 'suspended')) = (pause_reason IS NOT NULL)),
    CONSTRAINT subscriptions_pause_reason_known
        CHECK (pause_reason IN ('merchant', 'insufficient_balance', 'dunning')),
    CONSTRAINT subscriptions_billing_anchor_known
        CHECK (billing_anchor IN ('subscription_start', 'month_start')),
    CONSTRAINT subscriptions_end_after_start CHECK (end_date > start_date),
    CONSTRAINT subscriptions_closed_within_life CHECK (
        closed_until >= start_date
        AND (closed_until <= canceled_at OR canceled_at IS NULL OR closed_until = start_date)
    ),
    CONSTRAINT subscriptions_phase_within_life CHECK (phase_started_at >= start_date),
    CONSTRAINT subscriptions_deleted_is_canceled CHECK (deleted_at IS NULL OR status = 'canceled'),
    CONSTRAINT subscriptions_cancel_at_is_flagged
        CHECK (cancel_at IS NULL OR cancel_at_period_end),
    CONSTRAINT subscriptions_scheduled_plan_has_its_time
        CHECK ((scheduled_plan_id IS NULL) = (scheduled_at IS NULL)),
    CONSTRAINT subscriptions_canceled_has_no_scheduled_plan
        CHECK (status <> 'canceled' OR scheduled_plan_id IS NULL),
    CONSTRAINT subscriptions_trial_has_its_plan
        CHECK ((trial_plan_id IS NULL) = (trial_ends_at IS NULL))
);
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
SELECT restrict_to_tenant('subscriptions');
GRANT SELECT, INSERT, UPDATE ON subscriptions TO monigo_app;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_scheduled_plan_fkey
    FOREIGN KEY (org_id, is_test, scheduled_plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_trial_plan_fkey
    FOREIGN KEY (org_id, is_test, trial_plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_agreed_revision_fkey
    FOREIGN KEY (org_id, is_test, plan_id, phase_agreed_revision)
    REFERENCES plan_revisions (org_id, is_test, plan_id, revision) ON DELETE RESTRICT;
-- One paused by the system counts as active; one paused by the merchant leaves its place.
CREATE UNIQUE INDEX subscriptions_one_active_per_plan_type
    ON subscriptions (org_id, is_test, customer_id, plan_type)
    WHERE status IN ('active', 'suspended')
        OR (status = 'paused' AND pause_reason <> 'merchant');
CREATE INDEX subscriptions_of_customer ON subscriptions (org_id, is_test, customer_id);
CREATE INDEX subscriptions_of_plan ON subscriptions (org_id, is_test, plan_id);
CREATE INDEX subscriptions_of_scheduled_plan
    ON subscriptions (org_id, is_test, scheduled_plan_id) WHERE scheduled_plan_id IS NOT NULL;
CREATE INDEX subscriptions_waiting_for_balance ON subscriptions (org_id, is_test, id)
    WHERE pause_reason = 'insufficient_balance';

-- Time that is metered but not billed. An open pause has no end yet.
CREATE TABLE subscription_pauses (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    reason text NOT NULL,
    CONSTRAINT subscription_pauses_pkey
        PRIMARY KEY (org_id, is_test, subscription_id, started_at),
    CONSTRAINT subscription_pauses_half_open CHECK (started_at <= ended_at),
    CONSTRAINT subscription_pauses_reason_known
        CHECK (reason IN ('merchant', 'insufficient_balance', 'dunning'))
);
SELECT restrict_to_tenant('subscription_pauses');
GRANT SELECT, INSERT, UPDATE ON subscription_pauses TO monigo_app;
ALTER TABLE subscription_pauses ADD CONSTRAINT subscription_pauses_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX subscription_pauses_one_open
    ON subscription_pauses (org_id, is_test, subscription_id) WHERE ended_at IS NULL;

-- The plans that a subscription was on before its present one. A phase ends where the next starts.
CREATE TABLE subscription_phases (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    plan_id uuid NOT NULL,
    billing_period text NOT NULL,
    anchor_at timestamptz NOT NULL,
    agreed_at timestamptz NOT NULL,
    agreed_revision integer NOT NULL,
    CONSTRAINT subscription_phases_pkey
        PRIMARY KEY (org_id, is_test, subscription_id, started_at)
);
SELECT restrict_to_tenant('subscription_phases');
GRANT SELECT, INSERT ON subscription_phases TO monigo_app;
ALTER TABLE subscription_phases ADD CONSTRAINT subscription_phases_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscription_phases ADD CONSTRAINT subscription_phases_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscription_phases ADD CONSTRAINT subscription_phases_agreed_revision_fkey
    FOREIGN KEY (org_id, is_test, plan_id, agreed_revision)
    REFERENCES plan_revisions (org_id, is_test, plan_id, revision) ON DELETE RESTRICT;

-- Timelines of subscriptions. Append-only.
CREATE TABLE subscription_timeline (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    position integer NOT NULL,
    happened_at timestamptz NOT NULL,
    event text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT subscription_timeline_pkey
        PRIMARY KEY (org_id, is_test, subscription_id, position),
    CONSTRAINT subscription_timeline_event_known CHECK (
        event IN (
            'created', 'paused', 'resumed', 'plan_changed', 'plan_change_scheduled',
            'plan_change_withdrawn', 'cancel_scheduled', 'cancel_withdrawn', 'canceled'
        )
    )
);
SELECT restrict_to_tenant('subscription_timeline');
GRANT SELECT, INSERT ON subscription_timeline TO monigo_app;
ALTER TABLE subscription_timeline ADD CONSTRAINT subscription_timeline_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;

-- One value for each customer and plan type of a tenant, as a range that a GiST index takes without
-- an extension. That two of them share one of 2^64 values is not to be expected. The index is made of it,
-- so that it never changes.
CREATE FUNCTION stretch_slot(org_id uuid, is_test boolean, customer_id uuid, plan_type text)
RETURNS numrange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT numrange(slot, slot, '[]')
    FROM hashtextextended(org_id::text || is_test::text || customer_id::text || plan_type, 0) AS slot
);

-- The instants whose usage a subscription may bill: from its start to its end, but its pauses. The
-- rows of a deleted subscription stay. No instant of a customer's usage belongs to two of one plan type.
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
