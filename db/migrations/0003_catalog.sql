-- What is measured (metrics) and what it costs (plans, prices and their revisions).

CREATE TABLE metrics (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    event_name text NOT NULL,
    aggregation text NOT NULL,
    aggregation_property text NOT NULL,
    description text NOT NULL,
    filters jsonb NOT NULL,
    group_by text NOT NULL,
    version integer NOT NULL,
    rollups_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT metrics_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT metrics_aggregation_known
        CHECK (aggregation IN ('count', 'sum', 'max', 'minimum', 'average', 'unique')),
    CONSTRAINT metrics_property_where_needed
        CHECK (aggregation = 'count' OR aggregation_property <> ''),
    CONSTRAINT metrics_event_name_not_empty CHECK (event_name <> ''),
    CONSTRAINT metrics_group_by_is_additive
        CHECK (group_by = '' OR aggregation IN ('count', 'sum')),
    CONSTRAINT metrics_filters_is_a_list CHECK (jsonb_typeof(filters) = 'array'),
    CONSTRAINT metrics_version_from_one CHECK (version >= 1)
);
COMMENT ON COLUMN metrics.version IS 'rises with each change of how events are counted';
COMMENT ON COLUMN metrics.rollups_from IS 'from this hour on, the buckets of this version are whole';
SELECT make_tenant_table('metrics', 'SELECT, INSERT, UPDATE');

-- How a metric counted under each of its versions: what is billed stays explained. Append-only.
CREATE TABLE metric_versions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    metric_id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    event_name text NOT NULL,
    aggregation text NOT NULL,
    aggregation_property text NOT NULL,
    filters jsonb NOT NULL,
    group_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT metric_versions_pkey PRIMARY KEY (org_id, is_test, metric_id, version),
    CONSTRAINT metric_versions_aggregation_known
        CHECK (aggregation IN ('count', 'sum', 'max', 'minimum', 'average', 'unique')),
    CONSTRAINT metric_versions_count_from_one CHECK (version >= 1)
);
SELECT make_tenant_table('metric_versions', 'SELECT, INSERT');
ALTER TABLE metric_versions ADD CONSTRAINT metric_versions_metric_fkey
    FOREIGN KEY (org_id, is_test, metric_id) REFERENCES metrics (org_id, is_test, id)
    ON DELETE RESTRICT;

CREATE TABLE plans (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    currency text NOT NULL,
    plan_type text NOT NULL,
    billing_period text NOT NULL,
    billing_mode text NOT NULL,
    trial_period_days integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT plans_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT plans_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT plans_type_known CHECK (plan_type IN ('collection', 'payout')),
    CONSTRAINT plans_billing_period_known
        CHECK (billing_period IN ('daily', 'weekly', 'monthly', 'quarterly', 'annually')),
    CONSTRAINT plans_billing_mode_known
        CHECK (billing_mode IN ('postpaid', 'prepaid', 'realtime')),
    CONSTRAINT plans_trial_in_bounds CHECK (trial_period_days BETWEEN 0 AND 730)
);
SELECT make_tenant_table('plans', 'SELECT, INSERT, UPDATE');

-- What a plan's edits did, and to whom they apply; the first revision is the plan as it was made,
-- which applies to everybody. Append-only.
CREATE TABLE plan_revisions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    plan_id uuid NOT NULL,
    revision integer NOT NULL,
    apply_to text NOT NULL,
    effective_at timestamptz NOT NULL,
    base_fee numeric(24, 6) NOT NULL,
    base_fee_timing text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT plan_revisions_pkey PRIMARY KEY (org_id, is_test, plan_id, revision),
    CONSTRAINT plan_revisions_count_from_one CHECK (revision >= 1),
    CONSTRAINT plan_revisions_apply_to_known CHECK (apply_to IN ('all', 'next_period', 'new')),
    CONSTRAINT plan_revisions_first_always_applies CHECK (
        CASE WHEN revision = 1
            THEN apply_to = 'all' AND effective_at = '-infinity' ELSE isfinite(effective_at)
        END
    ),
    CONSTRAINT plan_revisions_base_fee_not_negative CHECK (base_fee >= 0),
    CONSTRAINT plan_revisions_base_fee_timing_known
        CHECK (base_fee_timing IN ('in_arrears', 'in_advance'))
);
SELECT make_tenant_table('plan_revisions', 'SELECT, INSERT');
ALTER TABLE plan_revisions ADD CONSTRAINT plan_revisions_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;

-- A price keeps its id for life; what it costs stands in its revisions.
CREATE TABLE prices (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT prices_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT prices_of_plan UNIQUE (org_id, is_test, plan_id, id)
);
SELECT make_tenant_table('prices', 'SELECT, INSERT');
ALTER TABLE prices ADD CONSTRAINT prices_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;

-- Revision 1 creates a price, a later one edits it, one that is `removed` ends it; each belongs to
-- the plan's revision that made it. Append-only.
CREATE TABLE price_revisions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    price_id uuid NOT NULL,
    revision integer NOT NULL,
    plan_id uuid NOT NULL,
    plan_revision integer NOT NULL,
    metric_id uuid NOT NULL,
    position integer NOT NULL,
    model text NOT NULL,
    unit_price numeric(30, 12),
    tiers jsonb,
    flat_fee numeric(24, 6) NOT NULL,
    minimum_amount numeric(24, 6),
    maximum_amount numeric(24, 6),
    removed boolean NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT price_revisions_pkey PRIMARY KEY (org_id, is_test, price_id, revision),
    CONSTRAINT price_revisions_once_per_plan_revision
        UNIQUE (org_id, is_test, plan_id, plan_revision, price_id),
    CONSTRAINT price_revisions_model_known CHECK (
        model IN (
            'flat_unit', 'flat', 'per_unit', 'tiered', 'graduated', 'volume', 'weighted_tiered',
            'package', 'overage', 'percentage'
        )
    ),
    CONSTRAINT price_revisions_unit_price_not_negative CHECK (unit_price >= 0),
    CONSTRAINT price_revisions_amounts_not_negative
        CHECK (flat_fee >= 0 AND minimum_amount >= 0 AND maximum_amount >= 0),
    CONSTRAINT price_revisions_maximum_from_minimum CHECK (maximum_amount >= minimum_amount),
    CONSTRAINT price_revisions_shape_fits_model
        CHECK (
            CASE WHEN model IN ('flat_unit', 'flat', 'per_unit')
                THEN unit_price IS NOT NULL ELSE tiers IS NOT NULL
            END
        ),
    CONSTRAINT price_revisions_count_from_one CHECK (revision >= 1)
);
SELECT make_tenant_table('price_revisions', 'SELECT, INSERT');
ALTER TABLE price_revisions ADD CONSTRAINT price_revisions_price_fkey
    FOREIGN KEY (org_id, is_test, plan_id, price_id)
    REFERENCES prices (org_id, is_test, plan_id, id) ON DELETE RESTRICT;
ALTER TABLE price_revisions ADD CONSTRAINT price_revisions_plan_revision_fkey
    FOREIGN KEY (org_id, is_test, plan_id, plan_revision)
    REFERENCES plan_revisions (org_id, is_test, plan_id, revision) ON DELETE RESTRICT;
ALTER TABLE price_revisions ADD CONSTRAINT price_revisions_metric_fkey
    FOREIGN KEY (org_id, is_test, metric_id) REFERENCES metrics (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX price_revisions_of_metric ON price_revisions (org_id, is_test, metric_id);
