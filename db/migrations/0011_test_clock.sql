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

-- Clears a tenant's test data, which the application's role may not do by itself: events, final
-- invoices and whatever else it can only add to. It touches rows of `app.org_id` in test mode only.
-- Every table with a mode takes part, found in the catalog, so that none is forgotten. One statement
-- deletes from all of them, and foreign keys are checked at its end: no order is needed.
CREATE FUNCTION reset_test_data() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own_org uuid := nullif(current_setting('app.org_id', true), '')::uuid;
    deletions text;
BEGIN
    IF own_org IS NULL OR current_setting('app.is_test', true) IS DISTINCT FROM 'true' THEN
        RAISE EXCEPTION 'only a transaction in test mode can reset it' USING ERRCODE = '42501';
    END IF;
    SELECT string_agg(
        format('from_%s AS (DELETE FROM %s WHERE org_id = $1 AND is_test)', oid, oid::regclass), ', '
    )
    INTO STRICT deletions
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND EXISTS (
            SELECT 1 FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attname = 'is_test' AND NOT attisdropped
        )
        AND relname <> 'api_key_lookups'; -- Keys are the organisation's, and stay.
    PERFORM set_config('app.is_reset', 'on', true);
    EXECUTE format('WITH %s SELECT 1', deletions) USING own_org;
    PERFORM set_config('app.is_reset', '', true);
    DELETE FROM pgqueuer
    WHERE status = 'queued' AND convert_from(payload, 'UTF8')::jsonb
        @> jsonb_build_object('org_id', own_org, 'is_test', true);
    INSERT INTO test_clocks (org_id, steps, failure, resets, updated_at)
    VALUES (own_org, 0, '', 1, now())
    ON CONFLICT (org_id) DO UPDATE SET resets = test_clocks.resets + 1;
END
$$;
REVOKE ALL ON FUNCTION reset_test_data() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reset_test_data() TO monigo_app;
