-- What happened, written with the fact that it tells of, so that neither is ever there alone.

CREATE TABLE outbox_events (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT outbox_events_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT outbox_events_type_known CHECK (
        type IN (
            'invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.voided',
            'subscription.created', 'subscription.paused', 'subscription.resumed',
            'subscription.canceled', 'subscription.prepaid_balance_insufficient',
            'subscription.realtime_balance_exhausted'
        )
    ),
    CONSTRAINT outbox_events_data_is_an_object CHECK (jsonb_typeof(data) = 'object')
);
SELECT make_tenant_table('outbox_events', 'SELECT, INSERT, DELETE');
