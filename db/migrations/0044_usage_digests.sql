-- Digests: what was used in a day, a week or a month, reported once.

-- How far the digest of a span has come through the customers, in the order of their ids.
CREATE TABLE usage_digests (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    span text NOT NULL,
    period_start timestamptz NOT NULL,
    after_customer_id uuid,
    done_at timestamptz,
    CONSTRAINT usage_digests_pkey PRIMARY KEY (org_id, is_test, span, period_start),
    CONSTRAINT usage_digests_span_known CHECK (span IN ('daily', 'weekly', 'monthly'))
);
SELECT restrict_to_tenant('usage_digests');
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_digests TO monigo_app;

-- What the customers so far have used, by metric.
CREATE TABLE usage_digest_totals (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    span text NOT NULL,
    period_start timestamptz NOT NULL,
    metric_id uuid NOT NULL,
    customers bigint NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    distinct_count bigint NOT NULL,
    CONSTRAINT usage_digest_totals_pkey PRIMARY KEY (org_id, is_test, span, period_start, metric_id),
    CONSTRAINT usage_digest_totals_not_empty CHECK (customers > 0 AND event_count > 0)
);
SELECT restrict_to_tenant('usage_digest_totals');
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_digest_totals TO monigo_app;
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE usage_digest_totals ADD CONSTRAINT usage_digest_totals_digest_fkey
    FOREIGN KEY (org_id, is_test, span, period_start)
    REFERENCES usage_digests (org_id, is_test, span, period_start) ON DELETE CASCADE;
