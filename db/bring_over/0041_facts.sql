-- Facts: what domains report in the transaction in which it happens, and who is still to get it.

-- A subject's facts have positions in the order of their commits: each is one more than the last,
-- read under the subject's lock. Of two that would be taken without it, one is refused by the key.
CREATE TABLE outbox_facts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subject_id uuid NOT NULL,
    position bigint NOT NULL,
    subject text NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    actor text NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT outbox_facts_pkey PRIMARY KEY (org_id, is_test, subject_id, position),
    CONSTRAINT outbox_facts_position_positive CHECK (position > 0),
    CONSTRAINT outbox_facts_payload_is_an_object CHECK (jsonb_typeof(payload) = 'object')
);
SELECT restrict_to_tenant('outbox_facts');
GRANT SELECT, INSERT, DELETE ON outbox_facts TO monigo_app;

-- A fact that a subscriber has not handled yet; it goes in the transaction of what the subscriber does.
-- What failed bears the reason, and is tried again at `runs_at`, an instant of real time.
CREATE TABLE outbox_deliveries (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscriber text NOT NULL,
    subject_id uuid NOT NULL,
    position bigint NOT NULL,
    runs_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    CONSTRAINT outbox_deliveries_pkey
        PRIMARY KEY (org_id, is_test, subscriber, subject_id, position),
    CONSTRAINT outbox_deliveries_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT outbox_deliveries_failed_says_why CHECK ((attempts = 0) = (reason = '')),
    CONSTRAINT outbox_deliveries_reason_is_short CHECK (char_length(reason) <= 500)
);
ALTER TABLE outbox_deliveries ADD CONSTRAINT outbox_deliveries_fact_fkey
    FOREIGN KEY (org_id, is_test, subject_id, position)
    REFERENCES outbox_facts (org_id, is_test, subject_id, position) ON DELETE RESTRICT;
SELECT restrict_to_tenant('outbox_deliveries');
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_deliveries TO monigo_app;

-- Billing events: facts as they are published to merchants, written by a subscriber.
ALTER TABLE outbox_events RENAME TO billing_events;
-- The names are the code's, and new ones come without a migration.
ALTER TABLE billing_events DROP CONSTRAINT outbox_events_type_known;
ALTER TABLE billing_events DROP CONSTRAINT outbox_events_pkey;
ALTER TABLE billing_events ADD CONSTRAINT billing_events_pkey PRIMARY KEY (org_id, is_test, id);
ALTER TABLE billing_events DROP CONSTRAINT outbox_events_data_is_an_object;
ALTER TABLE billing_events ADD CONSTRAINT billing_events_data_is_an_object
    CHECK (jsonb_typeof(data) = 'object');
