-- What all domains use: whose a call is, and the look across tenants for due work and facts.

-- Ends a call of an owner's function for another tenant than the transaction's.
CREATE OR REPLACE FUNCTION check_own_tenant(organization uuid, test boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF organization IS NULL OR test IS NULL
        OR organization IS DISTINCT FROM nullif(current_setting('app.org_id', true), '')::uuid
        OR test IS DISTINCT FROM nullif(current_setting('app.is_test', true), '')::boolean
    THEN
        RAISE EXCEPTION 'not the tenant of this transaction' USING ERRCODE = '42501';
    END IF;
END
$$;

-- Whether a row is being cleared with its tenant's test data (`reset_test_data`), which goes past what keeps
-- rows from being deleted. Only the table's owner can clear rows; the setting alone is not enough.
CREATE OR REPLACE FUNCTION is_reset(target regclass, is_test boolean) RETURNS boolean
LANGUAGE sql STABLE
RETURN is_test AND coalesce(current_setting('app.is_reset', true), '') = 'on' AND EXISTS (
    SELECT 1 FROM pg_class WHERE oid = target AND pg_get_userbyid(relowner) = current_user
);

-- The tenants that have work to run at an instant of real time, and of which kinds.
CREATE OR REPLACE FUNCTION tenants_with_due_work(instant timestamptz)
RETURNS TABLE (org_id uuid, is_test boolean, kind text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test, kind FROM public.agenda
    WHERE runs_at <= instant AND (claimed_until IS NULL OR claimed_until <= instant);
END
$$;
REVOKE ALL ON FUNCTION tenants_with_due_work FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_due_work TO monigo_app;

-- The tenants that have work which was set aside because it failed.
CREATE OR REPLACE FUNCTION tenants_with_work_set_aside() RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT DISTINCT org_id, is_test FROM public.agenda WHERE attempts > 0;
END
$$;
REVOKE ALL ON FUNCTION tenants_with_work_set_aside FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_work_set_aside TO monigo_app;

-- The tenants that have facts to be handled at an instant of real time, and by whom. It steps from one
-- tenant and subscriber to the next, however many facts wait.
CREATE OR REPLACE FUNCTION tenants_with_facts(instant timestamptz)
RETURNS TABLE (org_id uuid, is_test boolean, subscriber text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE step AS (
        (
            SELECT org_id, is_test, subscriber FROM public.outbox_deliveries
            ORDER BY org_id, is_test, subscriber
            LIMIT 1
        )
        UNION ALL
        SELECT following.org_id, following.is_test, following.subscriber
        FROM step
        CROSS JOIN LATERAL (
            SELECT delivery.org_id, delivery.is_test, delivery.subscriber
            FROM public.outbox_deliveries AS delivery
            WHERE (delivery.org_id, delivery.is_test, delivery.subscriber)
                > (step.org_id, step.is_test, step.subscriber)
            ORDER BY delivery.org_id, delivery.is_test, delivery.subscriber
            LIMIT 1
        ) AS following
    )
    SELECT org_id, is_test, subscriber FROM step
    WHERE EXISTS (
        SELECT 1 FROM public.outbox_deliveries AS delivery
        WHERE delivery.org_id = step.org_id AND delivery.is_test = step.is_test
            AND delivery.subscriber = step.subscriber AND delivery.runs_at <= instant
    );
END
$$;
REVOKE ALL ON FUNCTION tenants_with_facts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_facts TO monigo_app;

-- How much is due of each kind of work at an instant of real time, since when, and how much failed and
-- waits; of all tenants together, each count up to a bound.
CREATE OR REPLACE FUNCTION due_work_figures(instant timestamptz, most bigint)
RETURNS TABLE (kind text, due bigint, oldest_at timestamptz, set_aside bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT coalesce(waiting.kind, failed.kind), coalesce(waiting.due, 0), waiting.oldest_at,
        coalesce(failed.set_aside, 0)
    FROM (
        SELECT kind, count(*) AS due, min(runs_at) AS oldest_at
        FROM (
            SELECT kind, runs_at FROM public.agenda
            WHERE runs_at <= instant ORDER BY runs_at LIMIT most
        ) AS first
        GROUP BY kind
    ) AS waiting
    FULL JOIN (
        SELECT kind, count(*) AS set_aside
        FROM (SELECT kind FROM public.agenda WHERE attempts > 0 LIMIT most) AS counted
        GROUP BY kind
    ) AS failed ON failed.kind = waiting.kind;
END
$$;
REVOKE ALL ON FUNCTION due_work_figures FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_work_figures TO monigo_app;

-- How many facts wait for each subscriber, and since when the oldest; of all tenants together, up to a
-- bound.
CREATE OR REPLACE FUNCTION waiting_fact_figures(most bigint)
RETURNS TABLE (subscriber text, waiting bigint, oldest_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT subscriber, count(*), min(runs_at)
    FROM (SELECT subscriber, runs_at FROM public.outbox_deliveries LIMIT most) AS counted
    GROUP BY subscriber;
END
$$;
REVOKE ALL ON FUNCTION waiting_fact_figures FROM PUBLIC;
GRANT EXECUTE ON FUNCTION waiting_fact_figures TO monigo_app;
