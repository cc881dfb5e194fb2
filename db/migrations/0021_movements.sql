-- Movements that need no question: one statement judges, makes and remembers them, and is a transaction
-- of its own, so that nothing goes back and forth while wallets are locked.

-- Binds the transaction to a tenant and reads what never changes of its wallets.
CREATE FUNCTION find_wallets(organization uuid, test boolean, wallet_ids uuid[]) RETURNS TABLE (
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
    FROM wallets
    WHERE org_id = organization AND is_test = test AND id = ANY (wallet_ids);
END
$$;
REVOKE EXECUTE ON FUNCTION find_wallets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_wallets TO monigo_app;

-- What a movement is beyond its transfer: the wallet's place in the list that it comes with, which way it
-- goes, and what a repeat is compared by.
CREATE TYPE wallet_movement AS (wallet integer, is_credit boolean, content_hash bytea);

-- Binds the transaction to a tenant, moves money in wallets and tells what came of it: a row for each
-- movement, or none at all where anything is out of the ordinary (a key that may not write, as
-- `tenancy.refusals` would say, a wallet that is not there or not active, one with a rule that may have
-- to ask for money). What the ledger refuses (too little, another currency, a key used before) ends the statement. Either way nothing
-- has moved, and the caller goes about it with questions (`move_all`), which also finds the reason.
--
-- `wallet_ids` names each wallet once, in order, `reserved_ids` the account of what is held in it. Each
-- movement has its posting at the same place of the other list, which is for `post_ledger_transfers`.
CREATE FUNCTION move_without_question(
    organization uuid, test boolean, api_key_ids uuid[], wallet_ids uuid[], reserved_ids uuid[],
    movements wallet_movement[], account_ids uuid[], postings ledger_posting[], made_at timestamptz
) RETURNS TABLE (
    id uuid, reserved_balance numeric, from_balance_before numeric, from_balance_after numeric,
    from_sequence bigint, to_balance_before numeric, to_balance_after numeric, to_sequence bigint
)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    held uuid[];
BEGIN
    PERFORM set_config('app.org_id', organization::text, true),
        set_config('app.is_test', test::text, true);

    SELECT array_agg(wallet.id) INTO held
    FROM (
        SELECT known.id
        FROM wallets AS known
        WHERE known.org_id = organization AND known.is_test = test AND known.id = ANY (wallet_ids)
            AND known.status = 'active' AND known.top_up_threshold IS NULL
        ORDER BY known.id
        FOR NO KEY UPDATE
    ) AS wallet;
    IF held IS DISTINCT FROM wallet_ids OR EXISTS (
        SELECT 1 FROM unnest(api_key_ids) AS asked (id)
        WHERE NOT EXISTS (
            SELECT 1 FROM api_keys AS known
            WHERE known.org_id = organization AND known.id = asked.id
                AND known.is_test_mode = test AND 'write' = ANY (known.scopes)
                AND known.revoked_at IS NULL
                AND (known.expires_at IS NULL OR known.expires_at > made_at)
        )
    ) THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH moved AS MATERIALIZED (
        SELECT posted.id, asked.wallet, asked.is_credit, asked.idempotency_key,
            asked.content_hash, reserve.balance::numeric AS reserved_balance,
            posted.from_balance_before, posted.from_balance_after, posted.from_sequence,
            posted.to_balance_before, posted.to_balance_after, posted.to_sequence
        FROM unnest(movements, postings) AS asked (
            wallet, is_credit, content_hash, id, transaction_id, source, target, amount, currency,
            entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
            metadata
        )
        JOIN post_ledger_transfers(account_ids, postings, made_at) AS posted
            ON posted.id = asked.id
        JOIN ledger_accounts AS reserve
            ON reserve.org_id = organization AND reserve.is_test = test
            AND reserve.id = reserved_ids[asked.wallet]
    ), remembered AS (
        INSERT INTO ledger_requests (
            org_id, is_test, scope, idempotency_key, content_hash, transfer_ids, result, created_at
        )
        SELECT organization, test, wallet_ids[moved.wallet], moved.idempotency_key,
            moved.content_hash, ARRAY[moved.id],
            jsonb_build_object(
                'balance', CASE
                    WHEN moved.is_credit THEN moved.to_balance_after ELSE moved.from_balance_after
                END::text,
                'reserved_balance', moved.reserved_balance::text,
                'status', 'active',
                'updated_at', made_at
            ),
            made_at
        FROM moved
    )
    SELECT moved.id, moved.reserved_balance, moved.from_balance_before, moved.from_balance_after,
        moved.from_sequence, moved.to_balance_before, moved.to_balance_after, moved.to_sequence
    FROM moved;

    IF EXISTS (SELECT 1 FROM unnest(movements) WHERE is_credit) THEN
        INSERT INTO credited_wallets (org_id, is_test, wallet_id, customer_id)
        SELECT organization, test, credited.id, credited.customer_id
        FROM wallets AS credited
        WHERE credited.org_id = organization AND credited.is_test = test
            AND credited.id IN (SELECT wallet_ids[wallet] FROM unnest(movements) WHERE is_credit)
        ORDER BY credited.id
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION move_without_question FROM PUBLIC;
GRANT EXECUTE ON FUNCTION move_without_question TO monigo_app;
