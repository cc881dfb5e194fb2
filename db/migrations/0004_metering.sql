-- Usage events, the only source of what is billed. Append-only for the application.

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
SELECT make_tenant_table('usage_events', 'SELECT, INSERT');
-- A customer's id says whose it is: naming the organisation and mode, too, would nearly double it.
CREATE INDEX usage_events_by_customer_and_time ON usage_events (customer_id, occurred_at);
-- Batches come in order and an entry is shared by a whole batch, so that this index costs little.
CREATE INDEX usage_events_of_batch ON usage_events (org_id, is_test, batch_id);

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
GRANT SELECT, INSERT, DELETE, UPDATE ON unfolded_batches TO monigo_app;
