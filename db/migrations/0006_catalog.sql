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
SELECT restrict_to_tenant('metrics');
GRANT SELECT, INSERT, UPDATE ON metrics TO monigo_app;

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
SELECT restrict_to_tenant('metric_versions');
GRANT SELECT, INSERT ON metric_versions TO monigo_app;
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
SELECT restrict_to_tenant('plans');
GRANT SELECT, INSERT, UPDATE ON plans TO monigo_app;

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
SELECT restrict_to_tenant('plan_revisions');
GRANT SELECT, INSERT ON plan_revisions TO monigo_app;
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
SELECT restrict_to_tenant('prices');
GRANT SELECT, INSERT ON prices TO monigo_app;
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
SELECT restrict_to_tenant('price_revisions');
GRANT SELECT, INSERT ON price_revisions TO monigo_app;
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

-- One value for each customer and price of a tenant, as a range that a GiST index takes without an
-- extension. That two of them share one of 2^64 values is not to be expected. The index is made of it,
-- so that it never changes.
CREATE FUNCTION override_slot(org_id uuid, is_test boolean, customer_id uuid, price_id uuid)
RETURNS numrange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT numrange(slot, slot, '[]')
    FROM hashtextextended(
        org_id::text || is_test::text || customer_id::text || price_id::text, 0
    ) AS slot
);

-- What one customer pays instead of a price's own model, for a time.
CREATE TABLE price_overrides (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    price_id uuid NOT NULL,
    model text NOT NULL,
    unit_price numeric(30, 12),
    tiers jsonb,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT price_overrides_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT price_overrides_model_known CHECK (
        model IN (
            'flat_unit', 'flat', 'per_unit', 'tiered', 'graduated', 'volume', 'weighted_tiered',
            'package', 'overage', 'percentage'
        )
    ),
    CONSTRAINT price_overrides_unit_price_not_negative CHECK (unit_price >= 0),
    CONSTRAINT price_overrides_shape_fits_model
        CHECK (
            CASE WHEN model IN ('flat_unit', 'flat', 'per_unit')
                THEN unit_price IS NOT NULL ELSE tiers IS NOT NULL
            END
        ),
    CONSTRAINT price_overrides_end_after_start CHECK (valid_until > valid_from),
    CONSTRAINT price_overrides_never_overlap EXCLUDE USING gist (
        override_slot(org_id, is_test, customer_id, price_id) WITH &&,
        tstzrange(valid_from, valid_until) WITH &&
    ) WHERE (deleted_at IS NULL)
);
COMMENT ON COLUMN price_overrides.valid_until IS 'exclusive; NULL: without end';
SELECT restrict_to_tenant('price_overrides');
GRANT SELECT, INSERT, UPDATE ON price_overrides TO monigo_app;
ALTER TABLE price_overrides ADD CONSTRAINT price_overrides_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE price_overrides ADD CONSTRAINT price_overrides_price_fkey
    FOREIGN KEY (org_id, is_test, price_id) REFERENCES prices (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX price_overrides_of_customer
    ON price_overrides (org_id, is_test, customer_id) WHERE deleted_at IS NULL;
CREATE INDEX price_overrides_of_price
    ON price_overrides (org_id, is_test, price_id) WHERE deleted_at IS NULL;
CREATE INDEX price_overrides_newest_first
    ON price_overrides (org_id, is_test, created_at DESC, id DESC) WHERE deleted_at IS NULL;
