-- Triggers gather the ids that a statement changed, tenant by tenant, and then ask about them in one query
-- by organisation: a join of what was changed with a table is nothing that a cluster runs.

CREATE OR REPLACE FUNCTION check_accounts_of_transfers() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    asked record;
    known uuid[];
    missed record;
BEGIN
    FOR asked IN
        SELECT made.org_id, made.is_test, made.currency,
            array_agg(DISTINCT side.account_id) AS account_ids
        FROM made
        CROSS JOIN LATERAL (
            VALUES (made.from_account_id), (made.to_account_id)
        ) AS side (account_id)
        GROUP BY made.org_id, made.is_test, made.currency
    LOOP
        known := ARRAY(
            SELECT account.id FROM public.ledger_accounts AS account
            WHERE account.org_id = asked.org_id AND account.is_test = asked.is_test
                AND account.id = ANY (asked.account_ids) AND account.currency = asked.currency
        );
        CONTINUE WHEN cardinality(known) = cardinality(asked.account_ids);
        SELECT side.account_id, side.name INTO STRICT missed
        FROM made
        CROSS JOIN LATERAL (
            VALUES ('from', made.from_account_id), ('to', made.to_account_id)
        ) AS side (name, account_id)
        WHERE made.org_id = asked.org_id AND made.is_test = asked.is_test
            AND made.currency = asked.currency AND side.account_id <> ALL (known)
        ORDER BY side.name
        LIMIT 1;
        RAISE EXCEPTION 'no account % in %', missed.account_id, asked.currency
            USING ERRCODE = '23503',
            CONSTRAINT = format('ledger_transfers_%s_account_fkey', missed.name);
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION keep_accounts_of_transfers() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lost record;
    missed uuid;
BEGIN
    FOR lost IN
        SELECT gone.org_id, gone.is_test, array_agg(gone.id) AS account_ids
        FROM gone
        GROUP BY gone.org_id, gone.is_test
    LOOP
        SELECT transfer.from_account_id INTO missed
        FROM public.ledger_transfers AS transfer
        WHERE transfer.org_id = lost.org_id AND transfer.is_test = lost.is_test
            AND transfer.from_account_id = ANY (lost.account_ids)
        LIMIT 1;
        IF NOT FOUND THEN
            SELECT transfer.to_account_id INTO missed
            FROM public.ledger_transfers AS transfer
            WHERE transfer.org_id = lost.org_id AND transfer.is_test = lost.is_test
                AND transfer.to_account_id = ANY (lost.account_ids)
            LIMIT 1;
        END IF;
        IF FOUND THEN
            RAISE EXCEPTION 'account % has transfers', missed
                USING ERRCODE = '23503', CONSTRAINT = 'ledger_accounts_keep_their_transfers';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- A cascade from a deleted draft finds no invoice any more, and may go on.
CREATE OR REPLACE FUNCTION keep_final_lines() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT line.org_id, line.is_test, array_agg(DISTINCT line.invoice_id) AS invoice_ids
        FROM touched AS line
        GROUP BY line.org_id, line.is_test
    LOOP
        CONTINUE WHEN TG_OP = 'DELETE' AND public.is_reset(TG_RELID, changed.is_test);
        IF EXISTS (
            SELECT 1 FROM public.invoices AS invoice
            WHERE invoice.org_id = changed.org_id AND invoice.is_test = changed.is_test
                AND invoice.id = ANY (changed.invoice_ids) AND invoice.status <> 'draft'
        ) THEN
            RAISE EXCEPTION 'the lines of a final invoice do not change'
                USING ERRCODE = '23514', CONSTRAINT = 'invoice_line_items_final_immutable';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- Clears a tenant's test data, which the application's role may not do by itself: events, final
-- invoices and whatever else it can only add to. Every table with a mode takes part, found in the
-- catalog, so that none is forgotten; those that others point at come after them.
DROP FUNCTION reset_test_data();
CREATE FUNCTION reset_test_data(organization uuid, test boolean) RETURNS void
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
        AND relname <> 'api_key_lookups'; -- Keys are the organisation's, and stay.
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
REVOKE ALL ON FUNCTION reset_test_data(uuid, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reset_test_data(uuid, boolean) TO monigo_app;
