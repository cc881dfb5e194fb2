-- Webhooks that are sent to merchants: endpoints, what is delivered to them, and each attempt.

-- Where a merchant takes events. Deleted ones stay without their secret while their log is kept.
CREATE TABLE webhook_endpoints (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    is_enabled boolean NOT NULL,
    disabled_reason text NOT NULL,
    secret_ciphertext bytea,
    previous_ciphertext bytea,
    previous_until timestamptz,
    failing_since timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT webhook_endpoints_want_events CHECK (cardinality(events) BETWEEN 1 AND 100),
    CONSTRAINT webhook_endpoints_url_in_bounds CHECK (length(url) BETWEEN 1 AND 2000),
    CONSTRAINT webhook_endpoints_disabled_for_a_reason CHECK ((disabled_reason = '') = is_enabled),
    CONSTRAINT webhook_endpoints_reason_known
        CHECK (disabled_reason IN ('', 'by_hand', 'failing', 'deleted')),
    CONSTRAINT webhook_endpoints_deleted_have_no_secret
        CHECK ((deleted_at IS NULL) = (secret_ciphertext IS NOT NULL)),
    CONSTRAINT webhook_endpoints_deleted_are_disabled
        CHECK ((deleted_at IS NOT NULL) = (disabled_reason = 'deleted')),
    CONSTRAINT webhook_endpoints_previous_is_whole
        CHECK ((previous_ciphertext IS NULL) = (previous_until IS NULL))
);
COMMENT ON COLUMN webhook_endpoints.events IS 'names of types, or the beginnings of several followed by *';
COMMENT ON COLUMN webhook_endpoints.previous_until IS 'until when events are also signed with the secret before';
COMMENT ON COLUMN webhook_endpoints.failing_since IS 'of the first failure after which none succeeded; real time';
SELECT restrict_to_tenant('webhook_endpoints');
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints TO monigo_app;

-- An event that is to be delivered to an endpoint, or was; what a person sends again is another one.
CREATE TABLE webhook_deliveries (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    body text NOT NULL,
    retry_of uuid,
    status text NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT webhook_deliveries_status_known CHECK (status IN ('pending', 'succeeded', 'failed')),
    CONSTRAINT webhook_deliveries_pending_have_a_next_attempt
        CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT webhook_deliveries_ended_have_an_end CHECK ((status = 'pending') = (ended_at IS NULL)),
    CONSTRAINT webhook_deliveries_attempts_in_bounds CHECK (attempts BETWEEN 0 AND 6)
);
COMMENT ON COLUMN webhook_deliveries.body IS 'byte by byte as it is sent';
COMMENT ON COLUMN webhook_deliveries.retry_of IS 'the delivery that a person had sent again; null: the first of its event';
SELECT restrict_to_tenant('webhook_deliveries');
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries TO monigo_app;
ALTER TABLE webhook_deliveries ADD CONSTRAINT webhook_deliveries_endpoint_fkey
    FOREIGN KEY (org_id, is_test, endpoint_id) REFERENCES webhook_endpoints (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX webhook_deliveries_once_for_each_endpoint
ON webhook_deliveries (org_id, is_test, endpoint_id, event_id) WHERE retry_of IS NULL;
CREATE INDEX webhook_deliveries_due
ON webhook_deliveries (org_id, is_test, endpoint_id, next_attempt_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (org_id, is_test, endpoint_id, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (org_id, is_test, created_at);

-- A request to an endpoint, and what came back.
CREATE TABLE webhook_attempts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    url text NOT NULL,
    request_headers jsonb NOT NULL,
    response_status integer,
    response_body text NOT NULL,
    error text NOT NULL,
    duration_ms integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (org_id, is_test, delivery_id, number),
    CONSTRAINT webhook_attempts_number_in_bounds CHECK (number BETWEEN 1 AND 6),
    CONSTRAINT webhook_attempts_answered_or_not CHECK (response_status IS NOT NULL OR error <> ''),
    CONSTRAINT webhook_attempts_response_in_bounds CHECK (length(response_body) <= 4096)
);
SELECT restrict_to_tenant('webhook_attempts');
GRANT SELECT, INSERT, DELETE ON webhook_attempts TO monigo_app;
ALTER TABLE webhook_attempts ADD CONSTRAINT webhook_attempts_delivery_fkey
    FOREIGN KEY (org_id, is_test, delivery_id) REFERENCES webhook_deliveries (org_id, is_test, id)
    ON DELETE CASCADE;
