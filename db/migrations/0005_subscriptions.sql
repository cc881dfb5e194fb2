-- Who is on which plan, since when, and when it was paused.

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
    settled_at timestamptz NOT NULL,
    billing_error text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
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
    CONSTRAINT subscriptions_deleted_is_canceled CHECK (deleted_at IS NULL OR status = 'canceled')
);
COMMENT ON COLUMN subscriptions.phase_started_at IS 'since when it is on its present plan';
COMMENT ON COLUMN subscriptions.closed_until IS 'the start of the first period that is not closed';
COMMENT ON COLUMN subscriptions.recheck_from
    IS 'closed periods that end after it are looked at again with the next one';
COMMENT ON COLUMN subscriptions.settled_at
    IS 'when, by the machine''s clock, closed periods were last looked at for late events';
SELECT make_tenant_table('subscriptions', 'SELECT, INSERT, UPDATE');
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
-- One paused by the system counts as active; one paused by the merchant leaves its place.
CREATE UNIQUE INDEX subscriptions_one_active_per_plan_type
    ON subscriptions (org_id, is_test, customer_id, plan_type)
    WHERE status IN ('active', 'suspended')
        OR (status = 'paused' AND pause_reason <> 'merchant');
CREATE INDEX subscriptions_of_customer ON subscriptions (org_id, is_test, customer_id);
CREATE INDEX subscriptions_of_plan ON subscriptions (org_id, is_test, plan_id);

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
SELECT make_tenant_table('subscription_pauses', 'SELECT, INSERT, UPDATE');
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
    CONSTRAINT subscription_phases_pkey
        PRIMARY KEY (org_id, is_test, subscription_id, started_at)
);
SELECT make_tenant_table('subscription_phases', 'SELECT, INSERT');
ALTER TABLE subscription_phases ADD CONSTRAINT subscription_phases_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE subscription_phases ADD CONSTRAINT subscription_phases_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;

-- What happened to a subscription, so that it can be told later. Append-only.
CREATE TABLE subscription_timeline (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    position integer NOT NULL,
    happened_at timestamptz NOT NULL,
    happening text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT subscription_timeline_pkey
        PRIMARY KEY (org_id, is_test, subscription_id, position),
    CONSTRAINT subscription_timeline_happening_known CHECK (
        happening IN (
            'created', 'paused', 'resumed', 'plan_changed', 'cancel_scheduled',
            'cancel_withdrawn', 'canceled'
        )
    )
);
SELECT make_tenant_table('subscription_timeline', 'SELECT, INSERT');
ALTER TABLE subscription_timeline ADD CONSTRAINT subscription_timeline_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;

-- What the period close has to do and when. Found before the tenant is known, so it holds ids and
-- times only; it commits with the change that makes something due.
CREATE TABLE due_subscriptions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    CONSTRAINT due_subscriptions_pkey PRIMARY KEY (org_id, is_test, subscription_id),
    CONSTRAINT due_subscriptions_attempts_not_negative CHECK (attempts >= 0)
);
CREATE INDEX due_subscriptions_earliest_first
    ON due_subscriptions (org_id, is_test, due_at, subscription_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON due_subscriptions TO monigo_app;
