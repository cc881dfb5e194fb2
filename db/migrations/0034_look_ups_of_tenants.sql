-- Row-level security on look-up and queue tables, too. They are local tables of ids, which are read
-- before the tenant is known; from now on only by functions of the owner's, which return ids. Each is
-- called alone, outside of any tenant's transaction.

-- Holds a local table to the transaction's tenant, as `make_tenant_table` does for the others.
CREATE FUNCTION hold_to_tenant(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    own_rows text := $policy$org_id = nullif(current_setting('app.org_id', true), '')::uuid$policy$;
BEGIN
    IF EXISTS (
        SELECT 1 FROM pg_catalog.pg_attribute
        WHERE attrelid = target AND attname = 'is_test' AND NOT attisdropped
    ) THEN
        own_rows := own_rows
            || $policy$ AND is_test = nullif(current_setting('app.is_test', true), '')::boolean$policy$;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own_rows ON %s USING (%s) WITH CHECK (%s)', target, own_rows, own_rows
    );
END
$$;

SELECT hold_to_tenant('api_key_lookups');
SELECT hold_to_tenant('tenant_lookups');
SELECT hold_to_tenant('test_clock_lookups');
SELECT hold_to_tenant('credited_wallets');
SELECT hold_to_tenant('watched_customers');
SELECT hold_to_tenant('due_subscriptions');
SELECT hold_to_tenant('unfolded_batches');

-- Whose key a presented secret is, by its hash.
CREATE FUNCTION find_api_key(hash bytea)
RETURNS TABLE (org_id uuid, is_test boolean, api_key_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT org_id, is_test, api_key_id FROM public.api_key_lookups WHERE key_hash = hash;
END
$$;
REVOKE ALL ON FUNCTION find_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea) TO monigo_app;

-- The organisations there are.
CREATE FUNCTION organization_ids() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT org_id FROM public.tenant_lookups ORDER BY org_id;
END
$$;
REVOKE ALL ON FUNCTION organization_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organization_ids() TO monigo_app;

-- The organisations that anything at all says there are, for `verify` to look at.
CREATE FUNCTION organization_ids_of_any_trace() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT org_id FROM public.organizations
    UNION SELECT org_id FROM public.tenant_lookups
    UNION SELECT org_id FROM public.api_key_lookups
    UNION SELECT org_id FROM public.test_clock_lookups
    UNION SELECT org_id FROM public.credited_wallets
    UNION SELECT org_id FROM public.watched_customers
    UNION SELECT org_id FROM public.due_subscriptions
    UNION SELECT org_id FROM public.unfolded_batches
    ORDER BY org_id;
END
$$;
REVOKE ALL ON FUNCTION organization_ids_of_any_trace() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organization_ids_of_any_trace() TO monigo_app;

-- The organisations whose test clock is set.
CREATE FUNCTION organizations_with_test_clock() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT org_id FROM public.test_clock_lookups ORDER BY org_id;
END
$$;
REVOKE ALL ON FUNCTION organizations_with_test_clock() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organizations_with_test_clock() TO monigo_app;

-- The tenants that have something due at an instant: one look into the index for each tenant,
-- however many subscriptions are due.
CREATE FUNCTION tenants_with_due_subscriptions(instant timestamptz)
RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT tenant.org_id, mode.is_test
    FROM public.tenant_lookups AS tenant
    CROSS JOIN (VALUES (true), (false)) AS mode (is_test)
    WHERE EXISTS (
        SELECT 1 FROM public.due_subscriptions AS due
        WHERE due.org_id = tenant.org_id AND due.is_test = mode.is_test AND due.due_at <= instant
    );
END
$$;
REVOKE ALL ON FUNCTION tenants_with_due_subscriptions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_due_subscriptions(timestamptz) TO monigo_app;

-- Some tenants that have batches to fold.
CREATE FUNCTION tenants_with_unfolded_batches(tenants_max integer)
RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test FROM public.unfolded_batches
    ORDER BY org_id, is_test
    LIMIT tenants_max;
END
$$;
REVOKE ALL ON FUNCTION tenants_with_unfolded_batches(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_unfolded_batches(integer) TO monigo_app;

-- Since when the oldest batch of all waits to be folded.
CREATE FUNCTION oldest_unfolded_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT min(received_at) FROM public.unfolded_batches);
END
$$;
REVOKE ALL ON FUNCTION oldest_unfolded_at() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oldest_unfolded_at() TO monigo_app;

-- The tenants with wallets that got something which may be waited for.
CREATE FUNCTION tenants_with_credited_wallets() RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT DISTINCT org_id, is_test FROM public.credited_wallets;
END
$$;
REVOKE ALL ON FUNCTION tenants_with_credited_wallets() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_credited_wallets() TO monigo_app;

-- The tenants with watched customers whose usage changed since it was charged.
CREATE FUNCTION tenants_with_changed_customers() RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test FROM public.watched_customers WHERE changed_at > charged_at;
END
$$;
REVOKE ALL ON FUNCTION tenants_with_changed_customers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_changed_customers() TO monigo_app;

-- Which process takes a test clock to its target, and until when nobody else may. See
-- `tenancy/test_clock.py`.
ALTER TABLE test_clocks ADD COLUMN runner_id uuid;
ALTER TABLE test_clocks ADD COLUMN runner_until timestamptz;
ALTER TABLE test_clocks ADD CONSTRAINT test_clocks_runner_is_whole
    CHECK ((runner_id IS NULL) = (runner_until IS NULL));
