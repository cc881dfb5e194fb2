-- WhatsApp: the number that a merchant's messages come from, which messages go by it, what became of each,
-- and the phones whose owners want none.

-- A number at the Cloud API, in one mode; its token and secrets are encrypted.
CREATE TABLE whatsapp_connections (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    phone_number_id text NOT NULL,
    business_account_id text NOT NULL,
    display_number text NOT NULL,
    verified_name text NOT NULL,
    secrets_ciphertext bytea NOT NULL,
    health_state text NOT NULL,
    last_success_at timestamptz,
    last_error text NOT NULL,
    last_error_at timestamptz,
    webhook_last_at timestamptz,
    connected_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT whatsapp_connections_one_for_each_mode PRIMARY KEY (org_id, is_test),
    CONSTRAINT whatsapp_connections_have_a_number
        CHECK (phone_number_id ~ '^[0-9]{1,32}$' AND business_account_id ~ '^[0-9]{1,32}$'),
    CONSTRAINT whatsapp_connections_health_known CHECK (health_state IN ('healthy', 'failing')),
    CONSTRAINT whatsapp_connections_error_is_whole CHECK ((last_error = '') = (last_error_at IS NULL)),
    CONSTRAINT whatsapp_connections_failing_say_why CHECK (health_state = 'healthy' OR last_error <> '')
);
COMMENT ON COLUMN whatsapp_connections.connected_at IS 'instants of WhatsApp are of real time';
SELECT restrict_to_tenant('whatsapp_connections');
GRANT SELECT, INSERT, UPDATE, DELETE ON whatsapp_connections TO monigo_app;

-- Which notices go by WhatsApp, and by which templates.
CREATE TABLE whatsapp_settings (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    notices jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT whatsapp_settings_one_for_each_mode PRIMARY KEY (org_id, is_test),
    CONSTRAINT whatsapp_settings_notices_are_an_object CHECK (jsonb_typeof(notices) = 'object')
);
SELECT restrict_to_tenant('whatsapp_settings');
GRANT SELECT, INSERT, UPDATE ON whatsapp_settings TO monigo_app;

-- A message to a customer. What is sent once and not answered is never sent again.
CREATE TABLE whatsapp_messages (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    fact_id uuid,
    customer_id uuid NOT NULL,
    type text NOT NULL,
    occasion jsonb,
    status text NOT NULL,
    phone text NOT NULL,
    template text NOT NULL,
    language text NOT NULL,
    parameters text[] NOT NULL,
    attempts integer NOT NULL,
    whatsapp_id text NOT NULL,
    error_code integer,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    sending_at timestamptz,
    accepted_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz,
    fell_back_at timestamptz,
    CONSTRAINT whatsapp_messages_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT whatsapp_messages_once_for_a_fact UNIQUE (org_id, is_test, fact_id),
    CONSTRAINT whatsapp_messages_status_known CHECK (
        status IN ('waiting', 'sending', 'unknown', 'accepted', 'sent', 'delivered', 'read', 'failed')
    ),
    CONSTRAINT whatsapp_messages_tests_have_no_occasion
        CHECK ((type = 'test') = (fact_id IS NULL) AND (type = 'test') = (occasion IS NULL)),
    CONSTRAINT whatsapp_messages_sent_to_somebody CHECK (
        status IN ('waiting', 'failed')
        OR (phone <> '' AND template <> '' AND language <> '' AND sending_at IS NOT NULL)
    ),
    CONSTRAINT whatsapp_messages_taken_have_their_id CHECK (
        status NOT IN ('accepted', 'sent', 'delivered', 'read') OR whatsapp_id <> ''
    ),
    CONSTRAINT whatsapp_messages_accepted_has_its_time
        CHECK (status <> 'accepted' OR accepted_at IS NOT NULL),
    CONSTRAINT whatsapp_messages_sent_has_its_time CHECK (status <> 'sent' OR sent_at IS NOT NULL),
    CONSTRAINT whatsapp_messages_delivered_has_its_time
        CHECK (status <> 'delivered' OR delivered_at IS NOT NULL),
    CONSTRAINT whatsapp_messages_read_has_its_time CHECK (status <> 'read' OR read_at IS NOT NULL),
    CONSTRAINT whatsapp_messages_failed_has_its_time
        CHECK ((status = 'failed') = (failed_at IS NOT NULL)),
    CONSTRAINT whatsapp_messages_failed_says_why CHECK (status <> 'failed' OR reason <> ''),
    CONSTRAINT whatsapp_messages_tests_never_fall_back CHECK (fell_back_at IS NULL OR fact_id IS NOT NULL),
    CONSTRAINT whatsapp_messages_attempts_not_negative CHECK (attempts >= 0)
);
COMMENT ON COLUMN whatsapp_messages.fact_id IS 'of the outbox, which keeps facts for a shorter time';
COMMENT ON COLUMN whatsapp_messages.occasion IS 'what the message is to say, as the fact had it';
COMMENT ON COLUMN whatsapp_messages.fell_back_at IS 'when its mail was asked for in its place';
SELECT restrict_to_tenant('whatsapp_messages');
GRANT SELECT, INSERT, DELETE ON whatsapp_messages TO monigo_app;
-- What it is about, and for whom, never changes.
GRANT UPDATE (
    status, phone, template, language, parameters, attempts, whatsapp_id, error_code, reason, sending_at,
    accepted_at, sent_at, delivered_at, read_at, failed_at, fell_back_at
) ON whatsapp_messages TO monigo_app;
ALTER TABLE whatsapp_messages ADD CONSTRAINT whatsapp_messages_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX whatsapp_messages_by_customer
    ON whatsapp_messages (org_id, is_test, customer_id, created_at);
CREATE INDEX whatsapp_messages_by_whatsapp_id ON whatsapp_messages (org_id, is_test, whatsapp_id)
WHERE whatsapp_id <> '';
CREATE INDEX whatsapp_messages_by_time ON whatsapp_messages (org_id, is_test, created_at, id);

-- What the owner of a phone said last: STOP, or START again.
CREATE TABLE whatsapp_opt_outs (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    phone text NOT NULL,
    is_out boolean NOT NULL,
    said_at timestamptz NOT NULL,
    CONSTRAINT whatsapp_opt_outs_one_for_each_phone PRIMARY KEY (org_id, is_test, phone),
    CONSTRAINT whatsapp_opt_outs_phone_is_digits CHECK (phone ~ '^[1-9][0-9]{5,19}$')
);
SELECT restrict_to_tenant('whatsapp_opt_outs');
GRANT SELECT, INSERT, UPDATE ON whatsapp_opt_outs TO monigo_app;
