-- Collection: what customers owe becomes money, or it is noted why not.

ALTER TABLE organizations ADD COLUMN collection jsonb DEFAULT '{}' NOT NULL;
ALTER TABLE organizations ADD CONSTRAINT organizations_collection_is_an_object
    CHECK (jsonb_typeof(collection) = 'object') NOT VALID;

ALTER TABLE invoices ADD COLUMN amount_refunded numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE invoices ADD COLUMN amount_reversed numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE invoices ADD COLUMN collection_reason text DEFAULT '' NOT NULL;
ALTER TABLE invoices ADD COLUMN next_collection_at timestamptz;
ALTER TABLE invoices ADD CONSTRAINT invoices_refunds_within_payments CHECK (
    amount_refunded >= 0 AND amount_reversed >= 0
    AND (status = 'void' OR amount_refunded + amount_reversed <= amount_paid)
) NOT VALID;
ALTER TABLE invoices ADD CONSTRAINT invoices_collection_reason_in_bounds
    CHECK (length(collection_reason) <= 500) NOT VALID;
COMMENT ON COLUMN invoices.amount_refunded
    IS 'what went back of amount_paid, on its way or there; lost disputes, too';
COMMENT ON COLUMN invoices.amount_reversed IS 'what a provider took back of amount_paid';
COMMENT ON COLUMN invoices.collection_reason IS 'why it is not paid yet, in plain words; empty where nothing was tried';
COMMENT ON COLUMN invoices.next_collection_at IS 'when it is tried or reminded of next';

-- How far the collection of an unpaid invoice has come; gone once it is settled.
CREATE TABLE invoice_collections (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    invoice_id uuid NOT NULL,
    failures integer NOT NULL,
    first_failed_at timestamptz,
    is_link_only boolean NOT NULL,
    has_new_method boolean NOT NULL,
    reminders integer NOT NULL,
    suspended_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT invoice_collections_pkey PRIMARY KEY (org_id, is_test, invoice_id),
    CONSTRAINT invoice_collections_count_from_zero CHECK (failures >= 0 AND reminders >= 0),
    CONSTRAINT invoice_collections_failed_has_its_time
        CHECK ((failures > 0) = (first_failed_at IS NOT NULL))
);
COMMENT ON COLUMN invoice_collections.failures IS 'tries that failed, and steps that passed without a try';
COMMENT ON COLUMN invoice_collections.is_link_only IS 'the method is not to be charged again; a new one may be';
COMMENT ON COLUMN invoice_collections.has_new_method IS 'a method was saved that was not tried yet';
COMMENT ON COLUMN invoice_collections.suspended_at IS 'since when the subscription is suspended for it';
SELECT restrict_to_tenant('invoice_collections');
GRANT SELECT, INSERT, UPDATE, DELETE ON invoice_collections TO monigo_app;
ALTER TABLE invoice_collections ADD CONSTRAINT invoice_collections_invoice_fkey
    FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE RESTRICT;
