-- The invariant of memberships, and what a tenant's transaction may read of a person.

-- An organisation with members keeps at least one owner. Concurrent changes of owners are serialised by locks.
CREATE OR REPLACE FUNCTION keep_an_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.memberships
    WHERE org_id = OLD.org_id AND role = 'owner' ORDER BY user_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the organisation % would have no owner', OLD.org_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_keep_an_owner';
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER keep_an_owner AFTER UPDATE OR DELETE ON memberships
    FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION keep_an_owner();

-- The person's role in the transaction's own organisation, if the session is valid.
-- No row: the session is not valid. No role: the person is not a member.
CREATE OR REPLACE FUNCTION session_membership(
    organization uuid, test boolean, session uuid, person uuid, instant timestamptz
) RETURNS TABLE (role text, authenticated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    RETURN QUERY
    SELECT membership.role, signed_in.authenticated_at
    FROM public.sessions AS signed_in
    LEFT JOIN public.memberships AS membership
        ON membership.org_id = organization AND membership.user_id = signed_in.user_id
    WHERE signed_in.id = session AND signed_in.user_id = person
        AND signed_in.ended_at IS NULL AND signed_in.expires_at > instant;
END
$$;
REVOKE ALL ON FUNCTION session_membership FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_membership TO monigo_app;
