-- Whose a portal token is.

-- Where a presented token belongs, by its hash.
CREATE OR REPLACE FUNCTION find_portal_token(hash bytea)
RETURNS TABLE (org_id uuid, is_test boolean, token_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT org_id, is_test, token_id FROM public.portal_token_lookups WHERE token_hash = hash;
END
$$;
REVOKE ALL ON FUNCTION find_portal_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_portal_token TO monigo_app;
