-- Tenants that have somebody for whom a subscriber wants facts; for others it gets none, which costs nothing.
CREATE TABLE outbox_listeners (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscriber text NOT NULL,
    CONSTRAINT outbox_listeners_pkey PRIMARY KEY (org_id, is_test, subscriber),
    CONSTRAINT outbox_listeners_subscriber_not_empty CHECK (subscriber <> '')
);
SELECT restrict_to_tenant('outbox_listeners');
GRANT SELECT, INSERT ON outbox_listeners TO monigo_app;
