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

-- Whether a person's session counts, and who and what the person is in the transaction's own organisation.
-- No row: the session doesn't count. No role: the person is no member. `is_suspended`: the organisation is.
-- `lacks_second_factor`: the organisation requires one of its people, and the person has none.
CREATE OR REPLACE FUNCTION session_membership(
    organization uuid, test boolean, session uuid, person uuid, instant timestamptz
) RETURNS TABLE (
    role text, name text, authenticated_at timestamptz, is_suspended boolean, lacks_second_factor boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    RETURN QUERY
    SELECT membership.role, known.full_name, signed_in.authenticated_at,
        merchant.suspended_at IS NOT NULL,
        membership.role IS NOT NULL
        AND merchant.access @> '{"require_second_factor": true}'
        AND NOT EXISTS (
            SELECT 1 FROM public.authenticator_apps AS app
            WHERE app.user_id = person AND app.confirmed_at IS NOT NULL
        )
        AND NOT EXISTS (SELECT 1 FROM public.passkeys AS passkey WHERE passkey.user_id = person)
    FROM public.sessions AS signed_in
    JOIN public.users AS known ON known.id = signed_in.user_id
    LEFT JOIN public.memberships AS membership
        ON membership.org_id = organization AND membership.user_id = signed_in.user_id
    LEFT JOIN public.organizations AS merchant ON merchant.org_id = organization
    WHERE signed_in.id = session AND signed_in.user_id = person
        AND signed_in.ended_at IS NULL AND signed_in.expires_at > instant;
END
$$;
REVOKE ALL ON FUNCTION session_membership FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_membership TO monigo_app;

-- As `session_membership`, with locks on session and membership until the transaction ends: a transaction that
-- ends one of them waits, and finds all that was done under it.
CREATE OR REPLACE FUNCTION locked_session_membership(
    organization uuid, test boolean, session uuid, person uuid, instant timestamptz
) RETURNS TABLE (
    role text, name text, authenticated_at timestamptz, is_suspended boolean, lacks_second_factor boolean
)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    PERFORM 1 FROM public.sessions AS signed_in
    WHERE signed_in.id = session AND signed_in.user_id = person FOR SHARE;
    PERFORM 1 FROM public.memberships AS membership
    WHERE membership.org_id = organization AND membership.user_id = person FOR SHARE;
    RETURN QUERY SELECT * FROM public.session_membership(organization, test, session, person, instant);
END
$$;
REVOKE ALL ON FUNCTION locked_session_membership FROM PUBLIC;
GRANT EXECUTE ON FUNCTION locked_session_membership TO monigo_app;
