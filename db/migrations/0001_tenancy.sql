-- Organisations, their API keys, and the rules that every tenant table follows.

-- Makes a table the tenants': row-level security by organisation (and by mode, where the table has
-- one), rights for the application's role, and the distribute hook. Foreign keys are added after
-- it, because a distributed table takes them only then.
CREATE FUNCTION make_tenant_table(target regclass, rights text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    has_mode boolean := EXISTS (
        SELECT 1 FROM pg_attribute
        WHERE attrelid = target AND attname = 'is_test' AND NOT attisdropped
    );
    own_rows text := $policy$org_id = nullif(current_setting('app.org_id', true), '')::uuid$policy$;
BEGIN
    IF has_mode THEN
        own_rows := own_rows
            || $policy$ AND is_test = nullif(current_setting('app.is_test', true), '')::boolean$policy$;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own_rows ON %s USING (%s) WITH CHECK (%s)', target, own_rows, own_rows
    );
    EXECUTE format('GRANT %s ON %s TO monigo_app', rights, target);
    PERFORM distribute_table(target);
END
$$;

-- The hook for a distributed PostgreSQL; a single machine has nothing to do.
CREATE FUNCTION distribute_table(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        EXECUTE format('SELECT create_distributed_table(%L, %L)', target, 'org_id');
    END IF;
END
$$;

-- Whether a row is being cleared with its tenant's test data (`reset_test_data`), which goes past what
-- keeps rows from being deleted. Only the table's owner can; saying so is not enough.
CREATE FUNCTION is_reset(target regclass, is_test boolean) RETURNS boolean
LANGUAGE sql STABLE
RETURN is_test AND coalesce(current_setting('app.is_reset', true), '') = 'on' AND EXISTS (
    SELECT 1 FROM pg_class WHERE oid = target AND pg_get_userbyid(relowner) = current_user
);

CREATE TABLE organizations (
    org_id uuid NOT NULL,
    name text NOT NULL,
    country text NOT NULL,
    timezone text NOT NULL,
    default_currency text NOT NULL,
    available_currencies text[] NOT NULL,
    vat_enabled boolean NOT NULL,
    vat_rate numeric(7, 4) NOT NULL,
    wht_enabled boolean NOT NULL,
    wht_rate numeric(7, 4) NOT NULL,
    event_ingestion_grace_period_hours integer NOT NULL,
    raw_event_retention_days integer,
    requests_per_second_max integer,
    monthly_event_quota bigint,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT organizations_pkey PRIMARY KEY (org_id),
    CONSTRAINT organizations_name_not_empty CHECK (name <> ''),
    CONSTRAINT organizations_vat_rate_is_a_percentage CHECK (vat_rate BETWEEN 0 AND 100),
    CONSTRAINT organizations_wht_rate_is_a_percentage CHECK (wht_rate BETWEEN 0 AND 100),
    CONSTRAINT organizations_grace_period_in_bounds
        CHECK (event_ingestion_grace_period_hours BETWEEN 0 AND 720),
    CONSTRAINT organizations_raw_event_retention_in_bounds
        CHECK (raw_event_retention_days BETWEEN 100 AND 36500),
    CONSTRAINT organizations_request_rate_in_bounds
        CHECK (requests_per_second_max BETWEEN 1 AND 1000000),
    CONSTRAINT organizations_event_quota_not_negative CHECK (monthly_event_quota >= 0),
    CONSTRAINT organizations_default_currency_available
        CHECK (default_currency = ANY (available_currencies))
);
SELECT make_tenant_table('organizations', 'SELECT, INSERT, UPDATE');

-- A key acts in one mode, but belongs to the organisation, whose people see the keys of both.
CREATE TABLE api_keys (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    is_test_mode boolean NOT NULL,
    name text NOT NULL,
    key_prefix text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT api_keys_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT api_keys_scopes_known
        CHECK (scopes <@ ARRAY['ingest', 'read', 'write', 'admin'] AND cardinality(scopes) > 0)
);
SELECT make_tenant_table('api_keys', 'SELECT, INSERT, UPDATE');
ALTER TABLE api_keys ADD CONSTRAINT api_keys_organization_fkey
    FOREIGN KEY (org_id) REFERENCES organizations (org_id) ON DELETE RESTRICT;

-- Found before the tenant is known, so it holds hashes and ids only, never changed.
CREATE TABLE api_key_lookups (
    key_hash bytea NOT NULL,
    org_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    is_test boolean NOT NULL,
    CONSTRAINT api_key_lookups_pkey PRIMARY KEY (key_hash),
    CONSTRAINT api_key_lookups_hash_is_sha256 CHECK (octet_length(key_hash) = 32)
);
GRANT SELECT, INSERT ON api_key_lookups TO monigo_app;

-- The organisations there are, for work that goes through all of them one by one.
CREATE TABLE tenant_lookups (
    org_id uuid NOT NULL,
    CONSTRAINT tenant_lookups_pkey PRIMARY KEY (org_id)
);
GRANT SELECT, INSERT ON tenant_lookups TO monigo_app;

-- Gapless numbers: taken by UPDATE in the transaction that uses them.
CREATE TABLE counters (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    name text NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT counters_pkey PRIMARY KEY (org_id, is_test, name),
    CONSTRAINT counters_value_positive CHECK (value > 0)
);
SELECT make_tenant_table('counters', 'SELECT, INSERT, UPDATE');

-- What a repeated request is answered with; the row commits with the effect it tells of.
CREATE TABLE idempotency_records (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    request_key bytea NOT NULL,
    body_hash bytea NOT NULL,
    status integer NOT NULL,
    response_body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_records_pkey PRIMARY KEY (org_id, is_test, request_key),
    CONSTRAINT idempotency_records_key_is_sha256 CHECK (octet_length(request_key) = 32),
    CONSTRAINT idempotency_records_status_kept
        CHECK (status BETWEEN 200 AND 299 OR status IN (400, 404, 409, 422))
);
SELECT make_tenant_table('idempotency_records', 'SELECT, INSERT, UPDATE, DELETE');
CREATE INDEX idempotency_records_by_age ON idempotency_records (org_id, is_test, created_at);
