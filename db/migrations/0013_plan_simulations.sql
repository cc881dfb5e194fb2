-- Simulations of a plan's prices: what past usage would have cost. They change nothing else.

-- `request` is what was asked for. A simulation that was interrupted starts again from nothing.
CREATE TABLE plan_simulations (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    status text NOT NULL,
    request jsonb NOT NULL,
    subscriptions_total integer NOT NULL,
    subscriptions_done integer NOT NULL,
    report jsonb,
    error_message text NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT plan_simulations_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT plan_simulations_status_known
        CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    CONSTRAINT plan_simulations_ended_has_its_time
        CHECK ((status IN ('completed', 'failed')) = (completed_at IS NOT NULL)),
    CONSTRAINT plan_simulations_completed_has_its_report
        CHECK ((status = 'completed') = (report IS NOT NULL)),
    CONSTRAINT plan_simulations_failed_says_why CHECK ((status = 'failed') = (error_message <> '')),
    CONSTRAINT plan_simulations_counts_not_negative
        CHECK (subscriptions_total >= 0 AND subscriptions_done >= 0)
);
SELECT make_tenant_table('plan_simulations', 'SELECT, INSERT, UPDATE');
ALTER TABLE plan_simulations ADD CONSTRAINT plan_simulations_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX plan_simulations_unfinished
    ON plan_simulations (org_id, is_test) WHERE status IN ('pending', 'processing');
