-- Which days of a customer's usage changed after their time: what the period close looks at again.

-- The fold notes a day when it adds events of an earlier hour than the present one to it.
CREATE TABLE late_usage (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    day timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    CONSTRAINT late_usage_pkey PRIMARY KEY (org_id, is_test, customer_id, day)
);
COMMENT ON COLUMN late_usage.noted_at IS 'by the machine''s clock, when events last came late';
SELECT make_tenant_table('late_usage', 'SELECT, INSERT, UPDATE, DELETE');
