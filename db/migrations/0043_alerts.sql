-- Alerts: thresholds of usage, cost and balances, and which of them were reached.
-- Tables that are made here have no rows yet; those that they point at keep theirs.
-- squawk-ignore-file adding-foreign-key-constraint, constraint-missing-not-valid

CREATE TABLE alerts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    scope text NOT NULL,
    plan_id uuid,
    subscription_id uuid,
    customer_id uuid,
    metric_id uuid,
    currency text NOT NULL,
    require_acknowledgment boolean NOT NULL,
    is_enabled boolean NOT NULL,
    armed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT alerts_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT alerts_type_known
        CHECK (type IN ('usage_exceeded', 'cost_exceeded', 'wallet_balance_dropped')),
    CONSTRAINT alerts_scope_has_its_id CHECK (
        num_nonnulls(plan_id, subscription_id, customer_id) = 1
        AND CASE scope
            WHEN 'plan' THEN plan_id IS NOT NULL
            WHEN 'subscription' THEN subscription_id IS NOT NULL
            WHEN 'customer' THEN customer_id IS NOT NULL
            ELSE false
        END
    ),
    CONSTRAINT alerts_usage_is_of_a_metric
        CHECK ((metric_id IS NOT NULL) = (type = 'usage_exceeded')),
    CONSTRAINT alerts_currency_is_iso_4217 CHECK (
        CASE WHEN currency = '' THEN type <> 'cost_exceeded'
        ELSE type <> 'usage_exceeded' AND currency ~ '^[A-Z]{3}$' END
    )
);
COMMENT ON COLUMN alerts.currency IS 'of usage empty; of balances empty where it is of every wallet';
COMMENT ON COLUMN alerts.armed_at IS 'when it was made or last enabled: no period that ended before counts';
SELECT restrict_to_tenant('alerts');
GRANT SELECT, INSERT ON alerts TO monigo_app;
GRANT UPDATE (is_enabled, armed_at, updated_at, deleted_at) ON alerts TO monigo_app;
ALTER TABLE alerts ADD CONSTRAINT alerts_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE alerts ADD CONSTRAINT alerts_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE alerts ADD CONSTRAINT alerts_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE alerts ADD CONSTRAINT alerts_metric_fkey
    FOREIGN KEY (org_id, is_test, metric_id) REFERENCES metrics (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX alerts_one_per_scope ON alerts (
    org_id, is_test, type, plan_id, subscription_id, customer_id, metric_id, currency
) NULLS NOT DISTINCT WHERE deleted_at IS NULL;
CREATE INDEX alerts_of_plan ON alerts (org_id, is_test, plan_id) WHERE plan_id IS NOT NULL;
CREATE INDEX alerts_of_subscription
    ON alerts (org_id, is_test, subscription_id) WHERE subscription_id IS NOT NULL;
CREATE INDEX alerts_of_customer
    ON alerts (org_id, is_test, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX alerts_of_metric ON alerts (org_id, is_test, metric_id) WHERE metric_id IS NOT NULL;

-- Which thresholds an alert has. They are reached in the order of their values.
CREATE TABLE alert_thresholds (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    alert_id uuid NOT NULL,
    value numeric(38, 12) NOT NULL,
    label text NOT NULL,
    CONSTRAINT alert_thresholds_pkey PRIMARY KEY (org_id, is_test, alert_id, value),
    CONSTRAINT alert_thresholds_value_positive CHECK (value > 0 AND value <> 'NaN'),
    CONSTRAINT alert_thresholds_label_in_bounds CHECK (length(label) <= 255)
);
SELECT restrict_to_tenant('alert_thresholds');
GRANT SELECT, INSERT, DELETE ON alert_thresholds TO monigo_app;
ALTER TABLE alert_thresholds ADD CONSTRAINT alert_thresholds_alert_fkey
    FOREIGN KEY (org_id, is_test, alert_id) REFERENCES alerts (org_id, is_test, id)
    ON DELETE CASCADE;

-- A threshold that was reached: of usage and cost once in a period, of a balance once until it is back.
CREATE TABLE alert_states (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    alert_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid,
    period_start timestamptz,
    period_end timestamptz,
    wallet_id uuid,
    threshold numeric(38, 12) NOT NULL,
    label text NOT NULL,
    value numeric NOT NULL,
    status text NOT NULL,
    triggered_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    rearmed_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT alert_states_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT alert_states_of_period_or_wallet CHECK (
        (subscription_id IS NULL) <> (wallet_id IS NULL)
        AND (period_start IS NULL) = (subscription_id IS NULL)
        AND (period_end IS NULL) = (subscription_id IS NULL)
        AND period_start < period_end
    ),
    CONSTRAINT alert_states_status_known
        CHECK (status IN ('triggered', 'acknowledged', 'resolved')),
    CONSTRAINT alert_states_acknowledged_by_somebody CHECK (
        (acknowledged_at IS NOT NULL) = (status = 'acknowledged')
        AND (acknowledged_by IS NULL) = (acknowledged_at IS NULL)
    ),
    CONSTRAINT alert_states_only_wallets_rearm CHECK (rearmed_at IS NULL OR wallet_id IS NOT NULL),
    CONSTRAINT alert_states_value_finite CHECK (value <> 'NaN')
);
COMMENT ON COLUMN alert_states.rearmed_at IS 'when the balance was found to be back; NULL while it is below';
SELECT restrict_to_tenant('alert_states');
GRANT SELECT, INSERT ON alert_states TO monigo_app;
GRANT UPDATE (status, acknowledged_at, acknowledged_by, rearmed_at, updated_at)
    ON alert_states TO monigo_app;
ALTER TABLE alert_states ADD CONSTRAINT alert_states_alert_fkey
    FOREIGN KEY (org_id, is_test, alert_id) REFERENCES alerts (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE alert_states ADD CONSTRAINT alert_states_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE alert_states ADD CONSTRAINT alert_states_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE alert_states ADD CONSTRAINT alert_states_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id) REFERENCES wallets (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX alert_states_once_per_period ON alert_states (
    org_id, is_test, alert_id, subscription_id, period_start, threshold
) WHERE subscription_id IS NOT NULL;
CREATE UNIQUE INDEX alert_states_once_until_rearmed ON alert_states (
    org_id, is_test, alert_id, wallet_id, threshold
) WHERE wallet_id IS NOT NULL AND rearmed_at IS NULL;
CREATE INDEX alert_states_by_time ON alert_states (org_id, is_test, triggered_at DESC, id DESC);
CREATE INDEX alert_states_triggered ON alert_states (org_id, is_test, alert_id)
    WHERE status = 'triggered';
CREATE INDEX alert_states_triggered_of_subscription
    ON alert_states (org_id, is_test, subscription_id) WHERE status = 'triggered';
CREATE INDEX alert_states_of_wallet
    ON alert_states (org_id, is_test, wallet_id) WHERE rearmed_at IS NULL AND wallet_id IS NOT NULL;
CREATE INDEX alert_states_of_customer ON alert_states (org_id, is_test, customer_id);

-- How far a subscription is from an alert's next threshold in its period, so that usage which can't reach it is
-- not measured.
CREATE TABLE alert_watches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    alert_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    next_threshold numeric(38, 12),
    CONSTRAINT alert_watches_pkey PRIMARY KEY (org_id, is_test, alert_id, subscription_id),
    CONSTRAINT alert_watches_period_not_empty CHECK (period_start < period_end)
);
COMMENT ON COLUMN alert_watches.next_threshold IS 'NULL where the period has reached all of them';
SELECT restrict_to_tenant('alert_watches');
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_watches TO monigo_app;
ALTER TABLE alert_watches ADD CONSTRAINT alert_watches_alert_fkey
    FOREIGN KEY (org_id, is_test, alert_id) REFERENCES alerts (org_id, is_test, id)
    ON DELETE CASCADE;
ALTER TABLE alert_watches ADD CONSTRAINT alert_watches_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE CASCADE;
CREATE INDEX alert_watches_of_customer ON alert_watches (org_id, is_test, customer_id);

-- Who wants to know which usage was folded ('usage' soon, 'cost' in a while), and the batches kept for them.
CREATE TABLE usage_watchers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    watcher text NOT NULL,
    CONSTRAINT usage_watchers_pkey PRIMARY KEY (org_id, is_test, watcher),
    CONSTRAINT usage_watchers_known CHECK (watcher IN ('usage', 'cost'))
);
SELECT restrict_to_tenant('usage_watchers');
GRANT SELECT, INSERT, DELETE ON usage_watchers TO monigo_app;

CREATE TABLE watched_batches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    watcher text NOT NULL,
    batch_id uuid NOT NULL,
    CONSTRAINT watched_batches_pkey PRIMARY KEY (org_id, is_test, watcher, batch_id),
    CONSTRAINT watched_batches_watcher_known CHECK (watcher IN ('usage', 'cost'))
);
SELECT restrict_to_tenant('watched_batches');
GRANT SELECT, INSERT, UPDATE, DELETE ON watched_batches TO monigo_app;

-- A tenant whose wallets' balances are looked at after each movement.
CREATE TABLE balance_watchers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    CONSTRAINT balance_watchers_pkey PRIMARY KEY (org_id, is_test)
);
SELECT restrict_to_tenant('balance_watchers');
GRANT SELECT, INSERT, DELETE ON balance_watchers TO monigo_app;
