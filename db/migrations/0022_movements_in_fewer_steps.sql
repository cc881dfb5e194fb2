-- The express way in fewer steps: what a group of movements costs whatever their number is read, looked
-- up and joined once less.

-- Rules of single columns as domains, as transfers have them.
CREATE DOMAIN ledger_request_key AS text CONSTRAINT ledger_requests_key_not_empty CHECK (VALUE <> '');
CREATE DOMAIN ledger_request_hash AS bytea CONSTRAINT ledger_requests_hash_is_sha256
    CHECK (octet_length(VALUE) = 32);
ALTER TABLE ledger_requests
    DROP CONSTRAINT ledger_requests_key_not_empty,
    DROP CONSTRAINT ledger_requests_hash_is_sha256,
    ALTER COLUMN idempotency_key TYPE ledger_request_key,
    ALTER COLUMN content_hash TYPE ledger_request_hash;

-- Its rows come in the order of the postings. The planner would take a thousand for granted, and read
-- all accounts to join them.
ALTER FUNCTION post_ledger_transfers ROWS 10;

DROP FUNCTION move_without_question;

-- Binds the transaction to a tenant, moves money in wallets and tells what came of it: a row for each
-- movement, or none at all where anything is out of the ordinary (a key that may not write, as
-- `tenancy.refusals` would say, a wallet that is not there or not active, one with a rule that may have
-- to ask for money). What the ledger refuses (too little, another currency, a key used before) ends the
-- statement. Either way nothing has moved, and the caller goes about it with questions (`move_all`),
-- which also finds the reason.
--
-- `wallet_ids` names each wallet once, in order, `reserved_ids` the account of what is held in it,
-- `credited_ids` those that get something. Each movement has its posting at the same place of the other
-- list, which is for `post_ledger_transfers`.
CREATE FUNCTION move_without_question(
    organization uuid, test boolean, api_key_ids uuid[], wallet_ids uuid[], reserved_ids uuid[],
    credited_ids uuid[], movements wallet_movement[], account_ids uuid[], postings ledger_posting[],
    made_at timestamptz
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
    IF held IS DISTINCT FROM wallet_ids OR cardinality(api_key_ids) <> (
        SELECT count(*) FROM api_keys AS known
        WHERE known.org_id = organization AND known.id = ANY (api_key_ids)
            AND known.is_test_mode = test AND 'write' = ANY (known.scopes)
            AND known.revoked_at IS NULL
            AND (known.expires_at IS NULL OR known.expires_at > made_at)
    ) THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH moved AS MATERIALIZED (
        SELECT asked.id, asked.wallet, asked.is_credit, asked.idempotency_key,
            asked.content_hash, reserve.balance::numeric AS reserved_balance,
            asked.from_balance_before, asked.from_balance_after, asked.from_sequence,
            asked.to_balance_before, asked.to_balance_after, asked.to_sequence
        FROM ROWS FROM (
            unnest(movements), unnest(postings),
            post_ledger_transfers(account_ids, postings, made_at)
        ) AS asked (
            wallet, is_credit, content_hash, id, transaction_id, source, target, amount, currency,
            entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
            metadata, posted_id, from_balance_before, from_balance_after, from_sequence,
            to_balance_before, to_balance_after, to_sequence
        )
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

    IF credited_ids <> '{}' THEN
        INSERT INTO credited_wallets (org_id, is_test, wallet_id, customer_id)
        SELECT organization, test, credited.id, credited.customer_id
        FROM wallets AS credited
        WHERE credited.org_id = organization AND credited.is_test = test
            AND credited.id = ANY (credited_ids)
        ORDER BY credited.id
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION move_without_question FROM PUBLIC;
GRANT EXECUTE ON FUNCTION move_without_question TO monigo_app;
