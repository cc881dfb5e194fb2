-- Connections: the accounts that merchants have at payment providers, and what was asked with their keys.

-- One object of the organisation's, with the keys of both modes. Deleted ones stay, for what was done by them.
CREATE TABLE payment_connections (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    label text NOT NULL,
    is_enabled boolean NOT NULL,
    is_test_mode boolean NOT NULL,
    supported_currencies text[] NOT NULL,
    channels text[] NOT NULL,
    fee_bearer text NOT NULL,
    provider_options jsonb NOT NULL,
    forward_url text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT payment_connections_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT payment_connections_provider_not_empty CHECK (provider <> ''),
    CONSTRAINT payment_connections_have_currencies CHECK (cardinality(supported_currencies) > 0),
    CONSTRAINT payment_connections_fee_bearer_known CHECK (fee_bearer IN ('merchant', 'customer')),
    CONSTRAINT payment_connections_options_are_an_object
        CHECK (jsonb_typeof(provider_options) = 'object'),
    CONSTRAINT payment_connections_deleted_are_disabled CHECK (deleted_at IS NULL OR NOT is_enabled)
);
COMMENT ON COLUMN payment_connections.is_test_mode IS 'of which mode its webhook secret and settings are sent';
SELECT restrict_to_tenant('payment_connections');
GRANT SELECT, INSERT, UPDATE ON payment_connections TO monigo_app;
ALTER TABLE payment_connections ADD CONSTRAINT payment_connections_organization_fkey
    FOREIGN KEY (org_id) REFERENCES organizations (org_id) ON DELETE RESTRICT;

-- Which connection is used for a currency, where several could be.
CREATE TABLE payment_defaults (
    org_id uuid NOT NULL,
    purpose text NOT NULL,
    currency text NOT NULL,
    connection_id uuid NOT NULL,
    CONSTRAINT payment_defaults_one_for_each_currency PRIMARY KEY (org_id, purpose, currency),
    CONSTRAINT payment_defaults_purpose_known CHECK (purpose IN ('collect', 'pay_out'))
);
SELECT restrict_to_tenant('payment_defaults');
GRANT SELECT, INSERT, UPDATE, DELETE ON payment_defaults TO monigo_app;
ALTER TABLE payment_defaults ADD CONSTRAINT payment_defaults_connection_fkey
    FOREIGN KEY (org_id, connection_id) REFERENCES payment_connections (org_id, id) ON DELETE RESTRICT;

-- A connection's keys of one mode, encrypted, and how the provider answers them. Once a connection is deleted
-- there are no keys left.
CREATE TABLE payment_credentials (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    connection_id uuid NOT NULL,
    keys_ciphertext bytea,
    public_key text NOT NULL,
    contract_code text NOT NULL,
    source_account_number text NOT NULL,
    has_webhook_secret boolean NOT NULL,
    previous_ciphertext bytea,
    previous_until timestamptz,
    -- What was made with these keys last, by which others are recognised as the same account's.
    known_kind text NOT NULL,
    known_reference text NOT NULL,
    health_state text NOT NULL,
    last_success_at timestamptz,
    last_error text NOT NULL,
    last_error_at timestamptz,
    otp_on boolean,
    balance jsonb,
    balance_at timestamptz,
    webhook_last_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payment_credentials_pkey PRIMARY KEY (org_id, is_test, connection_id),
    CONSTRAINT payment_credentials_previous_is_whole
        CHECK ((previous_ciphertext IS NULL) = (previous_until IS NULL)),
    CONSTRAINT payment_credentials_known_is_whole CHECK ((known_kind = '') = (known_reference = '')),
    CONSTRAINT payment_credentials_health_known
        CHECK (health_state IN ('unchecked', 'healthy', 'failing', 'unauthorized')),
    CONSTRAINT payment_credentials_healthy_have_answered
        CHECK (health_state <> 'healthy' OR last_success_at IS NOT NULL),
    CONSTRAINT payment_credentials_error_is_whole CHECK ((last_error = '') = (last_error_at IS NULL)),
    CONSTRAINT payment_credentials_balance_is_whole CHECK ((balance IS NULL) = (balance_at IS NULL))
);
SELECT restrict_to_tenant('payment_credentials');
GRANT SELECT, INSERT, UPDATE ON payment_credentials TO monigo_app;
ALTER TABLE payment_credentials ADD CONSTRAINT payment_credentials_connection_fkey
    FOREIGN KEY (org_id, connection_id) REFERENCES payment_connections (org_id, id) ON DELETE RESTRICT;

-- Each HTTP call to a provider, without secrets; kept for thirty days.
CREATE TABLE provider_calls (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    verb text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    reference text NOT NULL,
    status integer,
    fault text NOT NULL,
    milliseconds integer NOT NULL,
    sent text NOT NULL,
    received text NOT NULL,
    called_at timestamptz NOT NULL,
    CONSTRAINT provider_calls_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT provider_calls_ended_somehow CHECK ((status IS NULL) = (fault <> '')),
    CONSTRAINT provider_calls_duration_not_negative CHECK (milliseconds >= 0),
    CONSTRAINT provider_calls_are_bounded
        CHECK (octet_length(sent) <= 16000 AND octet_length(received) <= 16000)
);
SELECT restrict_to_tenant('provider_calls');
GRANT SELECT, INSERT, DELETE ON provider_calls TO monigo_app;
ALTER TABLE provider_calls ADD CONSTRAINT provider_calls_credentials_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE INDEX provider_calls_by_connection ON provider_calls (org_id, is_test, connection_id, id);
