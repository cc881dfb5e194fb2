-- Usage summed per day, so that a period is read from a few days and the hours at its ends rather
-- than from all its hours. A process of the version before can't add to hours any more, under their
-- new name, so that none of them is ever missing in its day.

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
SELECT make_tenant_table('usage_days', 'SELECT, INSERT, UPDATE, DELETE');

-- Readers go on meanwhile.
LOCK TABLE usage_buckets IN SHARE MODE;
INSERT INTO usage_days (
    org_id, is_test, customer_id, metric_id, metric_version, day, group_value, event_count,
    number_count, number_sum, number_min, number_max, first_event_at, last_event_at
)
SELECT org_id, is_test, customer_id, metric_id, metric_version,
    date_bin('1 day', hour, '2000-01-01 00:00Z') AS day, group_value, sum(event_count),
    sum(number_count), sum(number_sum), min(number_min), max(number_max), min(first_event_at),
    max(last_event_at)
FROM usage_buckets
GROUP BY org_id, is_test, customer_id, metric_id, metric_version, day, group_value;

ALTER TABLE usage_buckets RENAME TO usage_hours;
ALTER TABLE usage_hours RENAME CONSTRAINT usage_buckets_pkey TO usage_hours_pkey;
ALTER TABLE usage_hours RENAME CONSTRAINT usage_buckets_not_empty TO usage_hours_not_empty;
ALTER TABLE usage_hours
    RENAME CONSTRAINT usage_buckets_numbers_are_of_events TO usage_hours_numbers_are_of_events;
ALTER TABLE usage_hours
    RENAME CONSTRAINT usage_buckets_hour_holds_its_events TO usage_hours_hour_holds_its_events;
