-- What one customer pays instead of a price's own model, for a time.

-- One value for each customer and price of a tenant, as a range that a GiST index takes without an
-- extension. That two of them share one of 2^64 values is not to be expected.
CREATE FUNCTION override_slot(org_id uuid, is_test boolean, customer_id uuid, price_id uuid)
RETURNS numrange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT numrange(slot, slot, '[]')
    FROM hashtextextended(
        org_id::text || is_test::text || customer_id::text || price_id::text, 0
    ) AS slot
);

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
SELECT make_tenant_table('price_overrides', 'SELECT, INSERT, UPDATE');
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
