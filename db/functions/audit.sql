-- How the audit log grows: one function of the owner's adds entries and links them into the organisation's
-- chain.

-- What an entry says, as the bytes that the chain is made of; the same on every server, whatever its time
-- zone.
CREATE OR REPLACE FUNCTION audit_entry_content(
    org_id uuid, sequence bigint, id uuid, at timestamptz, is_test_mode boolean, actor_kind text,
    actor_id text, actor_name text, permission text, action text, route text, resource_type text,
    resource_id uuid, before jsonb, after jsonb, address text, user_agent text, request_id text
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT convert_to(
        jsonb_build_array(
            org_id, sequence, id, extract(epoch FROM at), is_test_mode, actor_kind, actor_id,
            actor_name, permission, action, route, resource_type, resource_id, before, after,
            address, user_agent, request_id
        )::text,
        'UTF8'
    )
$$;

-- The entries of records, numbered in the order of the records and of the entries in each. One that
-- `is_of_mode` is of the transaction's own mode, whatever else it says.
CREATE OR REPLACE FUNCTION audit_entries_of(test boolean, records jsonb[])
RETURNS TABLE (
    number bigint, id uuid, at timestamptz, is_test_mode boolean, actor_kind text, actor_id text,
    actor_name text, permission text, action text, route text, resource_type text,
    resource_id uuid, before jsonb, after jsonb, address text, user_agent text, request_id text
)
LANGUAGE sql STABLE ROWS 100 AS $$
    SELECT row_number() OVER (ORDER BY record.number, added.number), added.id, added.at,
        CASE WHEN added.is_of_mode THEN test END, added.actor_kind, added.actor_id,
        added.actor_name, added.permission, added.action, added.route, added.resource_type,
        added.resource_id, added.before, added.after, added.address, added.user_agent,
        added.request_id
    FROM unnest(records) WITH ORDINALITY AS record (entries, number)
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_to_recordset(record.entries) AS (
            id uuid, at timestamptz, is_of_mode boolean, actor_kind text, actor_id text,
            actor_name text, permission text, action text, route text, resource_type text,
            resource_id uuid, before jsonb, after jsonb, address text, user_agent text,
            request_id text
        )
    ) WITH ORDINALITY AS added (
        id, at, is_of_mode, actor_kind, actor_id, actor_name, permission, action, route,
        resource_type, resource_id, before, after, address, user_agent, request_id, number
    )
$$;

-- Adds entries to the log in their order, and links them.
CREATE OR REPLACE FUNCTION chain_audit_entries(organization uuid, test boolean, records jsonb[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first bigint;
    place integer := 0;
    link bytea;
    links bytea[];
    content bytea;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    INSERT INTO public.audit_heads (org_id, sequence, chain_hash)
    VALUES (organization, 0, sha256(''))
    ON CONFLICT (org_id) DO NOTHING;
    SELECT head.sequence, head.chain_hash INTO STRICT first, link
    FROM public.audit_heads AS head
    WHERE head.org_id = organization
    FOR UPDATE;

    FOR content IN
        SELECT public.audit_entry_content(
            organization, first + added.number, added.id, added.at, added.is_test_mode,
            added.actor_kind, added.actor_id, added.actor_name, added.permission, added.action,
            added.route, added.resource_type, added.resource_id, added.before, added.after,
            added.address, added.user_agent, added.request_id
        )
        FROM public.audit_entries_of(test, records) AS added
        ORDER BY added.number
    LOOP
        place := place + 1;
        link := sha256(link || content);
        links[place] := link;
    END LOOP;

    INSERT INTO public.audit_entries (
        org_id, sequence, id, at, is_test_mode, actor_kind, actor_id, actor_name, permission,
        action, route, resource_type, resource_id, before, after, address, user_agent, request_id,
        chain_hash
    )
    SELECT organization, first + added.number, added.id, added.at, added.is_test_mode,
        added.actor_kind, added.actor_id, added.actor_name, added.permission, added.action,
        added.route, added.resource_type, added.resource_id, added.before, added.after,
        added.address, added.user_agent, added.request_id, links[added.number]
    FROM public.audit_entries_of(test, records) AS added;
    UPDATE public.audit_heads SET sequence = first + place, chain_hash = link
    WHERE org_id = organization;
END
$$;
REVOKE ALL ON FUNCTION chain_audit_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION chain_audit_entries TO monigo_app;

-- What waits to be linked is not taken away: a record of entries goes once they stand in the log.
CREATE OR REPLACE FUNCTION keep_unlinked_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM public.audit_entries
        WHERE org_id = old.org_id AND id = old.subject_id
    ) THEN
        RAISE EXCEPTION 'entries that are not linked yet stay'
            USING ERRCODE = '23514', CONSTRAINT = 'audit_entries_stay_until_linked';
    END IF;
    RETURN old;
END
$$;
CREATE OR REPLACE TRIGGER keep_unlinked_entries BEFORE DELETE ON outbox_facts
    FOR EACH ROW WHEN (old.type = 'EntriesWritten') EXECUTE FUNCTION keep_unlinked_entries();
