-- The test clock: an organisation's test mode may have a time of its own, which moves forward only.

-- No row, or no `now_at`, is real time. A clock with a target is on its way there; `steps` counts
-- what was run at one instant, and `failure` says why a clock stopped before its target. `resets`
-- counts how often the test data was cleared, and outlives each clearing.
CREATE TABLE test_clocks (
    org_id uuid NOT NULL,
    now_at timestamptz,
    target_at timestamptz,
    steps integer NOT NULL,
    failure text NOT NULL,
    resets bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT test_clocks_pkey PRIMARY KEY (org_id),
    CONSTRAINT test_clocks_target_lies_ahead
        CHECK (target_at IS NULL OR (now_at IS NOT NULL AND target_at >= now_at)),
    CONSTRAINT test_clocks_failed_stands_still CHECK (failure = '' OR target_at IS NULL),
    CONSTRAINT test_clocks_counts_not_negative CHECK (steps >= 0 AND resets >= 0)
);
SELECT make_tenant_table('test_clocks', 'SELECT, INSERT, UPDATE');
ALTER TABLE test_clocks ADD CONSTRAINT test_clocks_organization_fkey
    FOREIGN KEY (org_id) REFERENCES organizations (org_id) ON DELETE RESTRICT;

-- What was billed at an instant can't be billed again before it.
CREATE FUNCTION keep_clock_forward() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF new.now_at < old.now_at THEN
        RAISE EXCEPTION 'a test clock does not go back'
            USING ERRCODE = '23514', CONSTRAINT = 'test_clocks_moves_forward';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER keep_clock_forward BEFORE UPDATE ON test_clocks
    FOR EACH ROW EXECUTE FUNCTION keep_clock_forward();

-- The organisations whose test clock is set, for work that goes through all of them one by one.
CREATE TABLE test_clock_lookups (
    org_id uuid NOT NULL,
    CONSTRAINT test_clock_lookups_pkey PRIMARY KEY (org_id)
);
GRANT SELECT, INSERT, DELETE ON test_clock_lookups TO monigo_app;
