-- Whose a key is, which organisations there are, and the clearing of test data.

-- Whose key a presented secret is, by its hash.
CREATE OR REPLACE FUNCTION find_api_key(hash bytea)
RETURNS TABLE (org_id uuid, is_test boolean, api_key_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT org_id, is_test, api_key_id FROM public.api_key_lookups WHERE key_hash = hash;
END
$$;
REVOKE ALL ON FUNCTION find_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key TO monigo_app;

-- The organisations there are.
CREATE OR REPLACE FUNCTION organization_ids() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT org_id FROM public.tenant_lookups ORDER BY org_id;
END
$$;
REVOKE ALL ON FUNCTION organization_ids FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organization_ids TO monigo_app;

-- All organisations that any table has rows of, for `verify`.
CREATE OR REPLACE FUNCTION organization_ids_of_any_trace() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT org_id FROM public.organizations
    UNION SELECT org_id FROM public.tenant_lookups
    UNION SELECT org_id FROM public.api_key_lookups
    UNION SELECT org_id FROM public.watched_customers
    UNION SELECT org_id FROM public.unfolded_batches
    UNION SELECT org_id FROM public.agenda
    ORDER BY org_id;
END
$$;
REVOKE ALL ON FUNCTION organization_ids_of_any_trace FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organization_ids_of_any_trace TO monigo_app;

-- What was billed at an instant can't be billed again before it.
CREATE OR REPLACE FUNCTION keep_clock_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF new.now_at < old.now_at THEN
        RAISE EXCEPTION 'a test clock does not go back'
            USING ERRCODE = '23514', CONSTRAINT = 'test_clocks_moves_forward';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_clock_forward BEFORE UPDATE ON test_clocks
    FOR EACH ROW EXECUTE FUNCTION keep_clock_forward();

-- Clears a tenant's test data, which the application's role may not do directly: it can only add events, final
-- invoices and the like. Every table with a mode takes part, found in the catalog, so that none is forgotten;
-- those that others point at come after them.
CREATE OR REPLACE FUNCTION reset_test_data(organization uuid, test boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    waiting regclass[];
    target regclass;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    IF NOT test THEN
        RAISE EXCEPTION 'only a transaction in test mode can reset it' USING ERRCODE = '42501';
    END IF;
    SELECT array_agg(oid::regclass) INTO STRICT waiting
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND EXISTS (
            SELECT 1 FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attname = 'is_test' AND NOT attisdropped
        )
        -- Keys, and those at providers, are the organisation's, and stay.
        AND relname NOT IN (
            'api_key_lookups', 'payment_credentials', 'whatsapp_connections', 'whatsapp_settings'
        );
    SET LOCAL app.is_reset = 'on';
    WHILE cardinality(waiting) > 0 LOOP
        -- One that none of the others points at; transfers point at accounts by a trigger.
        SELECT candidate INTO STRICT target
        FROM unnest(waiting) AS candidate
        WHERE NOT EXISTS (
            SELECT 1 FROM pg_constraint
            WHERE contype = 'f' AND confrelid = candidate AND conrelid <> candidate
                AND conrelid = ANY (waiting)
        ) AND NOT (
            candidate = 'public.ledger_accounts'::regclass
            AND 'public.ledger_transfers'::regclass = ANY (waiting)
        )
        LIMIT 1;
        EXECUTE format('DELETE FROM %s WHERE org_id = $1 AND is_test', target) USING organization;
        waiting := array_remove(waiting, target);
    END LOOP;
    SET LOCAL app.is_reset = '';
END
$$;
REVOKE ALL ON FUNCTION reset_test_data FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reset_test_data TO monigo_app;
