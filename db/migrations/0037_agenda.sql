-- The agenda: due work of every kind and tenant in one local table of ids.

-- `due_at` is an instant of the time that the kind follows, `runs_at` of real time: infinity while
-- a test clock stands before `due_at`, or is on its way. Each time that an entry is put it has another
-- version. What failed bears the reason, and is due again later, or never where `due_at` is
-- infinity. `claimed_until` is of work that takes several transactions.
CREATE TABLE agenda (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    due_at timestamptz NOT NULL,
    runs_at timestamptz NOT NULL,
    version bigint NOT NULL,
    attempts integer NOT NULL,
    claimed_until timestamptz,
    reason text NOT NULL,
    CONSTRAINT agenda_pkey PRIMARY KEY (org_id, is_test, kind, subject),
    CONSTRAINT agenda_version_positive CHECK (version > 0),
    CONSTRAINT agenda_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT agenda_set_aside_says_why CHECK ((attempts = 0) = (reason = '')),
    CONSTRAINT agenda_reason_is_short CHECK (char_length(reason) <= 500),
    CONSTRAINT agenda_never_due_never_runs
        CHECK (due_at < 'infinity' OR runs_at = 'infinity')
);
SELECT hold_to_tenant('agenda');
GRANT SELECT, INSERT, UPDATE, DELETE ON agenda TO monigo_app;
CREATE INDEX agenda_earliest_first ON agenda (org_id, is_test, kind, due_at, subject);
CREATE INDEX agenda_runs_at ON agenda (runs_at) WHERE runs_at < 'infinity';
CREATE INDEX agenda_set_aside ON agenda (org_id, is_test, kind, subject) WHERE attempts > 0;

-- The tenants that have work to run at an instant of real time, and of which kinds.
CREATE FUNCTION tenants_with_due_work(instant timestamptz)
RETURNS TABLE (org_id uuid, is_test boolean, kind text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test, kind FROM public.agenda
    WHERE runs_at <= instant AND (claimed_until IS NULL OR claimed_until <= instant);
END
$$;
REVOKE ALL ON FUNCTION tenants_with_due_work(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_due_work(timestamptz) TO monigo_app;

-- The tenants that have work which was set aside because it failed.
CREATE FUNCTION tenants_with_work_set_aside() RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT DISTINCT org_id, is_test FROM public.agenda WHERE attempts > 0;
END
$$;
REVOKE ALL ON FUNCTION tenants_with_work_set_aside() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_work_set_aside() TO monigo_app;

CREATE OR REPLACE FUNCTION organization_ids_of_any_trace() RETURNS SETOF uuid
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
    UNION SELECT org_id FROM public.agenda
    ORDER BY org_id;
END
$$;
