-- Nothing that the application's role makes may be taken for what a trigger or an owner's function
-- means: not a temporary table, not a function or operator of another schema. The names in them mean
-- what they meant when they were written. (Who may make such things at all is settled at each start.)
DO $$
DECLARE
    guard regprocedure;
BEGIN
    FOR guard IN
        SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
            AND (prorettype = 'trigger'::regtype OR prosecdef OR proname = 'move_without_question')
            AND NOT EXISTS (
                SELECT 1 FROM unnest(proconfig) AS setting WHERE setting LIKE 'search_path=%'
            )
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public, pg_temp', guard);
    END LOOP;
END
$$;

-- A function with a setting can't be part of a distributed query, so these name their schema.
CREATE OR REPLACE FUNCTION find_wallets(organization uuid, test boolean, wallet_ids uuid[])
RETURNS TABLE (
    id uuid, customer_id uuid, currency text, money_account_id uuid, reserved_account_id uuid,
    provider_account_id uuid, revenue_account_id uuid, created_at timestamptz
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('app.org_id', organization::text, true),
        set_config('app.is_test', test::text, true);
    RETURN QUERY
    SELECT id, customer_id, currency, money_account_id, reserved_account_id, provider_account_id,
        revenue_account_id, created_at
    FROM public.wallets
    WHERE org_id = organization AND is_test = test AND id = ANY (wallet_ids);
END
$$;

CREATE OR REPLACE FUNCTION lock_wallets(organization uuid, test boolean, wallet_ids uuid[])
RETURNS SETOF wallet_states
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.wallets
    WHERE org_id = organization AND is_test = test AND id = ANY (wallet_ids)
    ORDER BY id
    FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT state.org_id, state.is_test, state.id, state.customer_id, state.currency, state.status,
        state.money_account_id, state.reserved_account_id, state.provider_account_id,
        state.revenue_account_id, state.created_at, state.updated_at, state.balance,
        state.reserved_balance, state.entries, state.top_up_threshold
    FROM public.wallet_states AS state
    WHERE state.org_id = organization AND state.is_test = test AND state.id = ANY (wallet_ids);
END
$$;

CREATE OR REPLACE FUNCTION refuse_ledger_accounts(account_ids uuid[], postings ledger_posting[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    unknown integer;
BEGIN
    SELECT asked.place INTO unknown
    FROM unnest(account_ids) WITH ORDINALITY AS asked (id, place)
    WHERE NOT EXISTS (
        SELECT 1 FROM public.ledger_accounts AS account
        WHERE account.org_id = nullif(current_setting('app.org_id', true), '')::uuid
            AND account.is_test = nullif(current_setting('app.is_test', true), '')::boolean
            AND account.id = asked.id
    )
    ORDER BY asked.place
    LIMIT 1;
    IF unknown IS NULL THEN
        RAISE EXCEPTION 'accounts are to be named once each, in order' USING ERRCODE = '22023';
    END IF;
    RAISE EXCEPTION 'no account %', account_ids[unknown]
        USING ERRCODE = '23503', CONSTRAINT = CASE
            WHEN unknown IN (SELECT source FROM unnest(postings))
                THEN 'ledger_transfers_from_account_fkey'
            ELSE 'ledger_transfers_to_account_fkey'
        END;
END
$$;
