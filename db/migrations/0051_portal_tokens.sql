-- Tokens by which customers open their portal: links that last, and sessions that a merchant's page opens.

CREATE TABLE portal_tokens (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    kind text NOT NULL,
    access text NOT NULL,
    label text NOT NULL,
    secret_ciphertext bytea NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT portal_tokens_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT portal_tokens_kind_known CHECK (kind IN ('link', 'session')),
    CONSTRAINT portal_tokens_access_known CHECK (access IN ('read', 'full')),
    CONSTRAINT portal_tokens_sessions_end CHECK (kind = 'link' OR expires_at IS NOT NULL)
);
SELECT restrict_to_tenant('portal_tokens');
GRANT SELECT, INSERT, UPDATE, DELETE ON portal_tokens TO monigo_app;
ALTER TABLE portal_tokens ADD CONSTRAINT portal_tokens_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX portal_tokens_of_customer
    ON portal_tokens (org_id, is_test, customer_id, created_at DESC, id DESC);
CREATE INDEX portal_tokens_newest_first
    ON portal_tokens (org_id, is_test, created_at DESC, id DESC)
    WHERE kind = 'link' AND revoked_at IS NULL;

-- Found before the tenant is known, so it holds hashes and ids only, never changed.
CREATE TABLE portal_token_lookups (
    token_hash bytea NOT NULL,
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    token_id uuid NOT NULL,
    CONSTRAINT portal_token_lookups_pkey PRIMARY KEY (token_hash),
    CONSTRAINT portal_token_lookups_hash_is_sha256 CHECK (octet_length(token_hash) = 32)
);
SELECT restrict_to_tenant('portal_token_lookups');
GRANT SELECT, INSERT, DELETE ON portal_token_lookups TO monigo_app;
CREATE INDEX portal_token_lookups_of_token ON portal_token_lookups (org_id, is_test, token_id);
