-- The people and companies that a merchant bills or pays.

CREATE TABLE customers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT customers_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT customers_external_id_not_empty CHECK (external_id <> '')
);
SELECT restrict_to_tenant('customers');
GRANT SELECT, INSERT, UPDATE ON customers TO monigo_app;
-- A deleted customer's external_id is free again.
CREATE UNIQUE INDEX customers_external_id_unique
    ON customers (org_id, is_test, external_id) WHERE deleted_at IS NULL;
CREATE INDEX customers_newest_first
    ON customers (org_id, is_test, created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- Counts the changes after which a remembered reference may mean another customer or none: what
-- ingestion remembers of customers holds while this number stays.
CREATE TABLE customer_changes (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT customer_changes_pkey PRIMARY KEY (org_id, is_test)
);
SELECT restrict_to_tenant('customer_changes');
GRANT SELECT, INSERT, UPDATE ON customer_changes TO monigo_app;
