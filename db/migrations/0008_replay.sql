-- Replays: buckets built anew from stored events; and how long events keep their properties.

-- A job goes through the customers in the order of their ids. `next_customer_id` is the last one
-- that is done, `next_hour` how far the one after it is, if its events are too many for one step.
CREATE TABLE replay_jobs (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    initiated_by text NOT NULL,
    status text NOT NULL,
    from_timestamp timestamptz NOT NULL,
    to_timestamp timestamptz NOT NULL,
    event_name text NOT NULL,
    metric_id uuid,
    metric_version integer,
    dry_run boolean NOT NULL,
    events_total bigint NOT NULL,
    events_replayed bigint NOT NULL,
    next_customer_id uuid,
    next_hour timestamptz,
    report jsonb,
    error_message text NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT replay_jobs_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT replay_jobs_status_known
        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'canceled')),
    CONSTRAINT replay_jobs_window_half_open CHECK (from_timestamp < to_timestamp),
    CONSTRAINT replay_jobs_pending_has_not_started
        CHECK (status <> 'pending' OR started_at IS NULL),
    CONSTRAINT replay_jobs_started_has_its_time
        CHECK (status NOT IN ('processing', 'completed') OR started_at IS NOT NULL),
    CONSTRAINT replay_jobs_ended_has_its_time
        CHECK ((status IN ('completed', 'failed', 'canceled')) = (completed_at IS NOT NULL)),
    CONSTRAINT replay_jobs_failed_says_why CHECK ((status = 'failed') = (error_message <> '')),
    CONSTRAINT replay_jobs_metric_has_its_version
        CHECK ((metric_id IS NULL) = (metric_version IS NULL)),
    CONSTRAINT replay_jobs_report_of_dry_run CHECK (report IS NULL OR dry_run),
    CONSTRAINT replay_jobs_counts_not_negative CHECK (events_total >= 0 AND events_replayed >= 0)
);
SELECT make_tenant_table('replay_jobs', 'SELECT, INSERT, UPDATE');
ALTER TABLE replay_jobs ADD CONSTRAINT replay_jobs_metric_fkey
    FOREIGN KEY (org_id, is_test, metric_id) REFERENCES metrics (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX replay_jobs_newest_first ON replay_jobs (org_id, is_test, created_at DESC, id DESC);
CREATE INDEX replay_jobs_unfinished
    ON replay_jobs (org_id, is_test) WHERE status IN ('pending', 'processing');
-- Replays of one tenant wait for each other.
CREATE UNIQUE INDEX replay_jobs_one_processing
    ON replay_jobs (org_id, is_test) WHERE status = 'processing';

-- Up to when a tenant's events may have lost their properties (`kept_from`), and certainly have
-- (`blanked_until`). No replay reaches back beyond the first.
CREATE TABLE event_retention (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kept_from timestamptz NOT NULL,
    blanked_until timestamptz NOT NULL,
    CONSTRAINT event_retention_pkey PRIMARY KEY (org_id, is_test),
    CONSTRAINT event_retention_blanks_what_is_not_kept CHECK (blanked_until <= kept_from)
);
SELECT make_tenant_table('event_retention', 'SELECT, INSERT, UPDATE');
GRANT UPDATE (properties) ON usage_events TO monigo_app;
