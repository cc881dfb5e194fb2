-- What the statement for movements that need no question credits is noted on the agenda, too. It
-- serves live mode only, whose time is real.

CREATE OR REPLACE FUNCTION move_without_question(organization uuid, test boolean, api_key_ids uuid[], wallet_ids uuid[], reserved_ids uuid[], credited_ids uuid[], movements wallet_movement[], account_ids uuid[], postings ledger_posting[], made_at timestamp with time zone) RETURNS TABLE(id uuid, reserved_balance numeric, from_balance_before numeric, from_balance_after numeric, from_sequence bigint, to_balance_before numeric, to_balance_after numeric, to_sequence bigint)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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
        INSERT INTO agenda (
            org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason
        )
        SELECT organization, test, 'wallet_credited', credited.customer_id, made_at, made_at,
            1 + (random() * 4e18)::bigint, 0, ''
        FROM wallets AS credited
        WHERE credited.org_id = organization AND credited.is_test = test
            AND credited.id = ANY (credited_ids)
        GROUP BY credited.customer_id
        ORDER BY credited.customer_id
        ON CONFLICT (org_id, is_test, kind, subject) DO UPDATE
        SET due_at = excluded.due_at, runs_at = excluded.runs_at, version = excluded.version,
            attempts = 0, reason = '';
    END IF;
END
$$;
