-- Billing events: facts as they are published to merchants, written by a subscriber.

-- The types are the code's own names, and new ones come without a migration.
CREATE TABLE billing_events (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT billing_events_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT billing_events_data_is_an_object CHECK (jsonb_typeof(data) = 'object')
);
SELECT restrict_to_tenant('billing_events');
GRANT SELECT, INSERT, DELETE ON billing_events TO monigo_app;
