-- Usage: events, the only source of what is billed, and their sums by hour and day, so that reading a
-- period costs the same whatever was ingested.

-- Append-only for the application.
--
-- No foreign key to customers: a check per row would cost more than the insert itself. Customers
-- are never removed, only hidden, and the ingest transaction resolves each one under its tenant.
CREATE TABLE usage_events (
    org_id uuid NOT NULL,
    dedup uuid NOT NULL,
    is_test boolean NOT NULL,
    batch_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    customer_id uuid NOT NULL,
    event_name text NOT NULL,
    occurred_at timestamptz NOT NULL,
    properties jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT usage_events_pkey PRIMARY KEY (org_id, dedup),
    -- Counting characters costs more than counting bytes, which are seldom too many.
    CONSTRAINT usage_events_key_length CHECK (
        octet_length(idempotency_key) >= 1
        AND (octet_length(idempotency_key) <= 255 OR length(idempotency_key) <= 255)
    )
);
SELECT restrict_to_tenant('usage_events');
GRANT SELECT, INSERT ON usage_events TO monigo_app;
-- A customer's id identifies the tenant: with organisation and mode the index would be nearly twice as large.
CREATE INDEX usage_events_by_customer_and_time ON usage_events (customer_id, occurred_at);
-- Batches come in order and an entry is shared by a whole batch, so that this index costs little.
CREATE INDEX usage_events_of_batch ON usage_events (org_id, is_test, batch_id);
-- Retention empties them.
GRANT UPDATE (properties) ON usage_events TO monigo_app;

-- Nobody searches by these, and looking at samples of them is most of what ANALYZE costs.
ALTER TABLE usage_events ALTER COLUMN dedup SET STATISTICS 0;
ALTER TABLE usage_events ALTER COLUMN idempotency_key SET STATISTICS 0;
ALTER TABLE usage_events ALTER COLUMN properties SET STATISTICS 0;

-- The batches whose events are not in the buckets yet. Found before the tenant is known, so it
-- holds ids and counts only; it commits with the events, and folding deletes from it.
CREATE TABLE unfolded_batches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    batch_id uuid NOT NULL,
    event_count integer NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT unfolded_batches_pkey PRIMARY KEY (org_id, is_test, batch_id),
    CONSTRAINT unfolded_batches_not_empty CHECK (event_count > 0)
);
SELECT restrict_to_tenant('unfolded_batches');
GRANT SELECT, INSERT, DELETE, UPDATE ON unfolded_batches TO monigo_app;

-- One customer's events of one hour under one version of a metric, folded to what every aggregation
-- needs. An older version's buckets are not read any more.
CREATE TABLE usage_hours (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    hour timestamptz NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    first_event_at timestamptz NOT NULL,
    last_event_at timestamptz NOT NULL,
    CONSTRAINT usage_hours_pkey PRIMARY KEY (
        org_id, is_test, customer_id, metric_id, metric_version, hour, group_value
    ),
    CONSTRAINT usage_hours_not_empty CHECK (event_count > 0),
    CONSTRAINT usage_hours_numbers_are_of_events CHECK (number_count BETWEEN 0 AND event_count),
    CONSTRAINT usage_hours_hour_holds_its_events
        CHECK (first_event_at >= hour AND last_event_at < hour + interval '1 hour')
) WITH (fillfactor = 80);
SELECT restrict_to_tenant('usage_hours');
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_hours TO monigo_app;

-- One customer's events of one day, UTC, under one version of a metric: the sums of its hours.
CREATE TABLE usage_days (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    day timestamptz NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    first_event_at timestamptz NOT NULL,
    last_event_at timestamptz NOT NULL,
    CONSTRAINT usage_days_pkey PRIMARY KEY (
        org_id, is_test, customer_id, metric_id, metric_version, day, group_value
    ),
    CONSTRAINT usage_days_begin_at_midnight
        CHECK (date_bin('1 day', day, '2000-01-01 00:00Z') = day),
    CONSTRAINT usage_days_not_empty CHECK (event_count > 0),
    CONSTRAINT usage_days_numbers_are_of_events CHECK (number_count BETWEEN 0 AND event_count),
    CONSTRAINT usage_days_day_holds_its_events
        CHECK (first_event_at >= day AND last_event_at < day + interval '24 hours')
) WITH (fillfactor = 80);
SELECT restrict_to_tenant('usage_days');
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_days TO monigo_app;

-- The distinct values of an hour, for metrics that count them.
CREATE TABLE usage_hour_values (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    hour timestamptz NOT NULL,
    value uuid NOT NULL,
    CONSTRAINT usage_hour_values_pkey PRIMARY KEY (
        org_id, is_test, customer_id, metric_id, metric_version, hour, value
    )
);
SELECT restrict_to_tenant('usage_hour_values');
GRANT SELECT, INSERT, DELETE ON usage_hour_values TO monigo_app;

-- How many events were taken in each calendar month, UTC; folding adds each batch to it once.
CREATE TABLE event_counts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    month date NOT NULL,
    event_count bigint NOT NULL,
    CONSTRAINT event_counts_pkey PRIMARY KEY (org_id, is_test, month),
    CONSTRAINT event_counts_month_is_its_first_day CHECK (extract(day FROM month) = 1),
    CONSTRAINT event_counts_not_empty CHECK (event_count > 0)
) WITH (fillfactor = 50);
SELECT restrict_to_tenant('event_counts');
GRANT SELECT, INSERT, UPDATE ON event_counts TO monigo_app;

-- The fold notes a day when it adds events of an earlier hour than the present one to it.
CREATE TABLE late_usage (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    day timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    CONSTRAINT late_usage_pkey PRIMARY KEY (org_id, is_test, customer_id, day)
);
COMMENT ON COLUMN late_usage.last_received_at IS 'real time at which late events last arrived';
SELECT restrict_to_tenant('late_usage');
GRANT SELECT, INSERT, UPDATE, DELETE ON late_usage TO monigo_app;

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
SELECT restrict_to_tenant('replay_jobs');
GRANT SELECT, INSERT, UPDATE ON replay_jobs TO monigo_app;
ALTER TABLE replay_jobs ADD CONSTRAINT replay_jobs_metric_fkey
    FOREIGN KEY (org_id, is_test, metric_id) REFERENCES metrics (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX replay_jobs_newest_first ON replay_jobs (org_id, is_test, created_at DESC, id DESC);
CREATE INDEX replay_jobs_unfinished
    ON replay_jobs (org_id, is_test) WHERE status IN ('pending', 'processing');
-- Replays of one tenant wait for each other.
CREATE UNIQUE INDEX replay_jobs_one_processing
    ON replay_jobs (org_id, is_test) WHERE status = 'processing';

-- Up to which instant a tenant's events may be redacted (`kept_from`), and up to which they are
-- (`redacted_until`). A replay starts at `kept_from` at the earliest.
CREATE TABLE event_retention (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kept_from timestamptz NOT NULL,
    redacted_until timestamptz NOT NULL,
    CONSTRAINT event_retention_pkey PRIMARY KEY (org_id, is_test),
    CONSTRAINT event_retention_redacts_what_is_not_kept CHECK (redacted_until <= kept_from)
);
SELECT restrict_to_tenant('event_retention');
GRANT SELECT, INSERT, UPDATE ON event_retention TO monigo_app;

-- Customers whose old events are not all redacted yet: events from `redacted_until` on wait until the
-- period that contains this instant is closed.
CREATE TABLE waiting_retentions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    redacted_until timestamptz NOT NULL,
    CONSTRAINT waiting_retentions_pkey PRIMARY KEY (org_id, is_test, customer_id)
);
SELECT restrict_to_tenant('waiting_retentions');
GRANT SELECT, INSERT, UPDATE, DELETE ON waiting_retentions TO monigo_app;
ALTER TABLE waiting_retentions ADD CONSTRAINT waiting_retentions_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
