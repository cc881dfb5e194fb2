-- Organisations, their API keys, their gapless numbers, and the test clock.

CREATE TABLE organizations (
    org_id uuid NOT NULL,
    name text NOT NULL,
    country text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Its settings in groups. What is not there has its usual value, so that another setting needs no
    -- other column.
    billing jsonb NOT NULL,
    retention jsonb NOT NULL,
    limits jsonb NOT NULL,
    access jsonb NOT NULL,
    CONSTRAINT organizations_pkey PRIMARY KEY (org_id),
    CONSTRAINT organizations_name_not_empty CHECK (name <> ''),
    CONSTRAINT organizations_billing_is_an_object CHECK (jsonb_typeof(billing) = 'object'),
    CONSTRAINT organizations_retention_is_an_object CHECK (jsonb_typeof(retention) = 'object'),
    CONSTRAINT organizations_limits_is_an_object CHECK (jsonb_typeof(limits) = 'object'),
    CONSTRAINT organizations_access_is_an_object CHECK (jsonb_typeof(access) = 'object'),
    CONSTRAINT organizations_default_currency_available
        CHECK (billing -> 'available_currencies' @> (billing -> 'default_currency')),
    CONSTRAINT organizations_vat_rate_is_a_percentage
        CHECK ((billing -> 'vat_rate')::numeric BETWEEN 0 AND 100),
    CONSTRAINT organizations_wht_rate_is_a_percentage
        CHECK ((billing -> 'wht_rate')::numeric BETWEEN 0 AND 100),
    CONSTRAINT organizations_grace_period_in_bounds
        CHECK ((billing -> 'event_ingestion_grace_period_hours')::integer BETWEEN 0 AND 720),
    CONSTRAINT organizations_raw_event_retention_in_bounds
        CHECK ((retention ->> 'raw_event_retention_days')::integer BETWEEN 100 AND 36500),
    CONSTRAINT organizations_request_rate_in_bounds
        CHECK ((limits ->> 'requests_per_second_max')::integer BETWEEN 1 AND 1000000),
    CONSTRAINT organizations_event_quota_not_negative
        CHECK ((limits ->> 'monthly_event_quota')::bigint >= 0),
    CONSTRAINT organizations_member_credit_limit_in_bounds
        CHECK ((limits ->> 'member_credit_limit')::numeric BETWEEN 0 AND 1000000000000000)
);
SELECT restrict_to_tenant('organizations');
GRANT SELECT, INSERT, UPDATE ON organizations TO monigo_app;

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
SELECT restrict_to_tenant('api_keys');
GRANT SELECT, INSERT, UPDATE ON api_keys TO monigo_app;
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
SELECT restrict_to_tenant('api_key_lookups');
GRANT SELECT, INSERT ON api_key_lookups TO monigo_app;

-- The organisations there are, for work that goes through all of them one by one.
CREATE TABLE tenant_lookups (
    org_id uuid NOT NULL,
    CONSTRAINT tenant_lookups_pkey PRIMARY KEY (org_id)
);
SELECT restrict_to_tenant('tenant_lookups');
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
SELECT restrict_to_tenant('counters');
GRANT SELECT, INSERT, UPDATE ON counters TO monigo_app;

-- The test clock: an organisation's test mode may have a time of its own, which moves forward only.
--
-- No row, or no `now_at`, is real time. A clock with a target is on its way there; `steps` counts what was run
-- at one instant, and `failure` is why a clock stopped before its target. `resets` counts how often the test
-- data was cleared, and outlives each clearing. `runner_id` is the process that takes the clock to its target,
-- and until `runner_until` nobody else may. See `tenancy/test_clock.py`.
CREATE TABLE test_clocks (
    org_id uuid NOT NULL,
    now_at timestamptz,
    target_at timestamptz,
    steps integer NOT NULL,
    failure text NOT NULL,
    resets bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    runner_id uuid,
    runner_until timestamptz,
    CONSTRAINT test_clocks_pkey PRIMARY KEY (org_id),
    CONSTRAINT test_clocks_target_lies_ahead
        CHECK (target_at IS NULL OR (now_at IS NOT NULL AND target_at >= now_at)),
    CONSTRAINT test_clocks_failed_stands_still CHECK (failure = '' OR target_at IS NULL),
    CONSTRAINT test_clocks_counts_not_negative CHECK (steps >= 0 AND resets >= 0),
    CONSTRAINT test_clocks_runner_is_whole CHECK ((runner_id IS NULL) = (runner_until IS NULL))
);
SELECT restrict_to_tenant('test_clocks');
GRANT SELECT, INSERT, UPDATE ON test_clocks TO monigo_app;
ALTER TABLE test_clocks ADD CONSTRAINT test_clocks_organization_fkey
    FOREIGN KEY (org_id) REFERENCES organizations (org_id) ON DELETE RESTRICT;
