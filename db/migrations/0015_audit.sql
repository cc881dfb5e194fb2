-- The audit log: who changed what of an organisation, in both of its modes. The application reads it; it is
-- added to by `chain_audit_entries` alone, and changed by nobody.

-- The last link of each organisation's chain.
CREATE TABLE audit_heads (
    org_id uuid NOT NULL,
    sequence bigint NOT NULL,
    chain_hash bytea NOT NULL,
    CONSTRAINT audit_heads_pkey PRIMARY KEY (org_id),
    CONSTRAINT audit_heads_sequence_not_negative CHECK (sequence >= 0),
    CONSTRAINT audit_heads_hash_is_sha256 CHECK (octet_length(chain_hash) = 32)
);
SELECT restrict_to_tenant('audit_heads');
GRANT SELECT ON audit_heads TO monigo_app;

-- One entry a mutating request. `is_test_mode` is null where the organisation itself was changed, and none
-- of its modes. `before` and `after` hold the fields that changed: null before a thing was made, and after
-- it was deleted.
CREATE TABLE audit_entries (
    org_id uuid NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    is_test_mode boolean,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    permission text NOT NULL,
    action text NOT NULL,
    route text NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    before jsonb,
    after jsonb,
    address text NOT NULL,
    user_agent text NOT NULL,
    request_id text NOT NULL,
    chain_hash bytea NOT NULL,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (org_id, sequence),
    CONSTRAINT audit_entries_logged_once UNIQUE (org_id, id),
    CONSTRAINT audit_entries_sequence_positive CHECK (sequence > 0),
    CONSTRAINT audit_entries_hash_is_sha256 CHECK (octet_length(chain_hash) = 32),
    CONSTRAINT audit_entries_have_an_actor
        CHECK (actor_kind <> '' AND actor_id <> '' AND action <> '' AND resource_type <> ''),
    CONSTRAINT audit_entries_have_a_change CHECK (before IS DISTINCT FROM after),
    CONSTRAINT audit_entries_are_bounded CHECK (
        coalesce(pg_column_size(before), 0) + coalesce(pg_column_size(after), 0) <= 262144
        AND octet_length(actor_name) <= 2000 AND octet_length(user_agent) <= 2000
        AND octet_length(address) <= 100 AND octet_length(request_id) <= 100
    )
);
SELECT restrict_to_tenant('audit_entries');
GRANT SELECT ON audit_entries TO monigo_app;
CREATE INDEX audit_entries_by_time ON audit_entries (org_id, at, sequence);
CREATE INDEX audit_entries_by_resource ON audit_entries (org_id, resource_id, at, sequence);
CREATE INDEX audit_entries_by_type ON audit_entries (org_id, resource_type, at, sequence);
CREATE INDEX audit_entries_by_actor ON audit_entries (org_id, actor_id, at, sequence);
