-- Events keep their properties while a period that is not closed may still be counted from them.

-- Customers whose old events are not all emptied yet: those from `redacted_until` on wait until the
-- period that contains it is closed.
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
