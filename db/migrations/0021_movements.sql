-- Movements that need no question: one statement judges, makes and remembers them, and is a transaction
-- of its own, so that nothing goes back and forth while wallets are locked.

-- Binds the transaction to a tenant, moves money in wallets and tells what came of it: a row for each
-- movement, or none at all where anything is out of the ordinary (a key that may not write, a wallet
-- that is not there or not active, one with a rule that may have to ask for money). What the ledger
-- refuses (too little, another currency, a key used before) ends the statement. Either way nothing
-- has moved, and the caller goes about it with questions (`move_all`), which also finds the reason.
--
-- `wallet_ids` names each wallet once, in order, `customer_ids` and `reserved_ids` its owner and the
-- account of what is held; `wallets` and `directions` tell of each movement which of them it moves, and
-- which way. The rest is what `post_ledger_transfers` takes.
CREATE FUNCTION move_without_question(
    organization uuid, test boolean, api_key_ids uuid[], wallet_ids uuid[], customer_ids uuid[],
    reserved_ids uuid[], wallets integer[], directions text[], content_hashes bytea[],
    account_ids uuid[], sources integer[], targets integer[], ids uuid[], transaction_ids uuid[],
    amounts numeric[], currencies text[], entry_types text[], descriptions text[],
    reference_types text[], reference_ids text[], counterparties text[], idempotency_keys text[],
    metadatas jsonb[], made_at timestamptz
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
        SELECT posted.id, asked.wallet, asked.direction, asked.idempotency_key,
            asked.content_hash, reserve.balance::numeric AS reserved_balance,
            posted.from_balance_before, posted.from_balance_after, posted.from_sequence,
            posted.to_balance_before, posted.to_balance_after, posted.to_sequence
        FROM unnest(ids, wallets, directions, idempotency_keys, content_hashes)
            AS asked (id, wallet, direction, idempotency_key, content_hash)
        JOIN post_ledger_transfers(
            account_ids, sources, targets, ids, transaction_ids, amounts, currencies, entry_types,
            descriptions, reference_types, reference_ids, counterparties, idempotency_keys,
            metadatas, made_at
        ) AS posted ON posted.id = asked.id
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
                'balance', CASE moved.direction
                    WHEN 'credit' THEN moved.to_balance_after ELSE moved.from_balance_after
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

    IF 'credit' = ANY (directions) THEN
        INSERT INTO credited_wallets (org_id, is_test, wallet_id, customer_id)
        SELECT DISTINCT organization, test, wallet_ids[moved.wallet], customer_ids[moved.wallet]
        FROM unnest(wallets, directions) AS moved (wallet, direction)
        WHERE moved.direction = 'credit'
        ORDER BY wallet_ids[moved.wallet]
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION move_without_question FROM PUBLIC;
GRANT EXECUTE ON FUNCTION move_without_question TO monigo_app;
