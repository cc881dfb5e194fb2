-- One way for money to move: the application decides by its rules, and one function of the owner's
-- makes the transfers and remembers what was asked. What judged movements a second time in SQL goes.

DROP FUNCTION move_without_question;
DROP TYPE wallet_movement;
DROP FUNCTION find_wallets;
DROP FUNCTION post_ledger_transfers;
DROP FUNCTION refuse_ledger_accounts;

-- Requests are remembered along with their transfers, and in no other way.
REVOKE INSERT ON ledger_requests FROM monigo_app;

-- What was asked under a key, with the transfers that come of it.
CREATE TYPE ledger_request AS (
    scope uuid, idempotency_key text, content_hash bytea, transfer_ids uuid[], result jsonb
);

-- Makes transfers in their order, all or none, remembers the requests that they come of, and tells
-- what the transfers did to both sides, in their order, where that `is_read`. `account_ids` names each
-- account once, in order; in that order they are locked, so that no two postings wait for each other.
--
-- It runs as the owner, who alone may move heads. What it may touch are rows of the tenant that the
-- transaction is bound to, which the first two arguments must name.
CREATE FUNCTION post_ledger_transfers(
    organization uuid, test boolean, account_ids uuid[], postings ledger_posting[],
    requests ledger_request[], made_at timestamptz, is_read boolean
) RETURNS TABLE (
    id uuid, from_balance_before numeric, from_balance_after numeric, from_sequence bigint,
    to_balance_before numeric, to_balance_after numeric, to_sequence bigint
)
LANGUAGE plpgsql SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- The accounts, each once, and their heads as each transfer leaves them.
    accounts uuid[];
    balances numeric[];
    sequences bigint[];
    hashes bytea[];
    may_owe boolean[];
    -- What each transfer leaves on its two sides.
    from_balances numeric[];
    from_sequences bigint[];
    from_hashes bytea[];
    to_balances numeric[];
    to_sequences bigint[];
    to_hashes bytea[];
    place integer := 0;
    source integer;
    target integer;
    amount numeric(24, 6);
    content bytea;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    SELECT array_agg(head.id), array_agg(head.balance), array_agg(head.sequence),
        array_agg(head.chain_hash), array_agg(head.kind IN ('provider', 'revenue'))
    INTO accounts, balances, sequences, hashes, may_owe
    FROM (
        SELECT account.id, account.balance, account.sequence, account.chain_hash, account.kind
        FROM public.ledger_accounts AS account
        WHERE account.org_id = organization AND account.is_test = test
            AND account.id = ANY (account_ids)
        ORDER BY account.id
        FOR NO KEY UPDATE
    ) AS head;
    IF coalesce(accounts, '{}') IS DISTINCT FROM account_ids THEN
        PERFORM public.refuse_ledger_accounts(organization, test, account_ids, postings);
    END IF;

    FOR source, target, amount, content IN
        SELECT posting.source, posting.target, posting.amount, public.ledger_transfer_content(
            organization, test, posting.id, posting.transaction_id, accounts[posting.source],
            accounts[posting.target], posting.amount::numeric(24, 6), posting.currency,
            posting.entry_type, posting.description, posting.reference_type, posting.reference_id,
            posting.counterparty, posting.idempotency_key, posting.metadata, made_at
        )
        FROM unnest(postings) AS posting
    LOOP
        place := place + 1;
        balances[source] := balances[source] - amount;
        sequences[source] := sequences[source] + 1;
        hashes[source] := public.ledger_chain_link(
            hashes[source], content, sequences[source], balances[source]
        );
        from_balances[place] := balances[source];
        from_sequences[place] := sequences[source];
        from_hashes[place] := hashes[source];
        IF balances[source] < 0 AND NOT may_owe[source] THEN
            RAISE EXCEPTION 'account % has too little', accounts[source]
                USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_balance_not_negative';
        END IF;

        balances[target] := balances[target] + amount;
        sequences[target] := sequences[target] + 1;
        hashes[target] := public.ledger_chain_link(
            hashes[target], content, sequences[target], balances[target]
        );
        to_balances[place] := balances[target];
        to_sequences[place] := sequences[target];
        to_hashes[place] := hashes[target];
    END LOOP;

    INSERT INTO public.ledger_transfers (
        org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount, currency,
        entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
        metadata, created_at, from_balance_before, from_balance_after, from_sequence,
        from_chain_hash, to_balance_before, to_balance_after, to_sequence, to_chain_hash
    )
    SELECT organization, test, posted.id, posted.transaction_id, accounts[posted.source],
        accounts[posted.target], posted.amount, posted.currency, posted.entry_type,
        posted.description, posted.reference_type, posted.reference_id, posted.counterparty,
        posted.idempotency_key, posted.metadata, made_at,
        posted.from_balance + posted.amount::numeric(24, 6), posted.from_balance,
        posted.from_sequence, posted.from_hash,
        posted.to_balance - posted.amount::numeric(24, 6), posted.to_balance,
        posted.to_sequence, posted.to_hash
    FROM unnest(
        postings, from_balances, from_sequences, from_hashes, to_balances, to_sequences, to_hashes
    ) AS posted (
        id, transaction_id, source, target, amount, currency, entry_type, description,
        reference_type, reference_id, counterparty, idempotency_key, metadata,
        from_balance, from_sequence, from_hash, to_balance, to_sequence, to_hash
    );

    UPDATE public.ledger_accounts AS account
    SET balance = moved.balance, sequence = moved.sequence, chain_hash = moved.chain_hash,
        moved_at = made_at
    FROM unnest(accounts, balances, sequences, hashes)
        AS moved (id, balance, sequence, chain_hash)
    WHERE account.org_id = organization AND account.is_test = test AND account.id = moved.id
        AND account.sequence <> moved.sequence;

    IF cardinality(requests) > 0 THEN
        INSERT INTO public.ledger_requests (
            org_id, is_test, scope, idempotency_key, content_hash, transfer_ids, result, created_at
        )
        SELECT organization, test, request.scope, request.idempotency_key, request.content_hash,
            request.transfer_ids, request.result, made_at
        FROM unnest(requests) AS request;
    END IF;

    IF is_read THEN
        RETURN QUERY
        SELECT posted.id, posted.from_balance + posted.amount::numeric(24, 6), posted.from_balance,
            posted.from_sequence, posted.to_balance - posted.amount::numeric(24, 6),
            posted.to_balance, posted.to_sequence
        FROM unnest(postings, from_balances, from_sequences, to_balances, to_sequences) AS posted (
            id, transaction_id, source, target, amount, currency, entry_type, description,
            reference_type, reference_id, counterparty, idempotency_key, metadata,
            from_balance, from_sequence, to_balance, to_sequence
        );
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION post_ledger_transfers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_ledger_transfers TO monigo_app;

-- Ends a call of an owner's function for another tenant than the transaction's.
CREATE FUNCTION check_own_tenant(organization uuid, test boolean) RETURNS void
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

-- Ends a posting whose accounts are not all there: an account that the tenant lacks is told in the name
-- of the key that would refuse the transfer.
CREATE FUNCTION refuse_ledger_accounts(
    organization uuid, test boolean, account_ids uuid[], postings ledger_posting[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    unknown integer;
BEGIN
    SELECT asked.place INTO unknown
    FROM unnest(account_ids) WITH ORDINALITY AS asked (id, place)
    WHERE NOT EXISTS (
        SELECT 1 FROM public.ledger_accounts AS account
        WHERE account.org_id = organization AND account.is_test = test AND account.id = asked.id
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

-- Locks wallets in the order of their ids and tells how they stand after that, and whether any of these
-- keys was used before in the wallet beside it: who looks for a key before the lock may miss the use
-- that held it.
DROP FUNCTION lock_wallets;
CREATE FUNCTION lock_wallets(
    organization uuid, test boolean, wallet_ids uuid[], key_wallet_ids uuid[], keys text[]
) RETURNS TABLE (
    id uuid, customer_id uuid, currency text, status text, money_account_id uuid,
    reserved_account_id uuid, provider_account_id uuid, revenue_account_id uuid,
    created_at timestamptz, updated_at timestamptz, balance numeric, reserved_balance numeric,
    entries bigint, top_up_threshold numeric, is_any_key_used boolean
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    is_used boolean := false;
BEGIN
    PERFORM 1 FROM public.wallets
    WHERE org_id = organization AND is_test = test AND id = ANY (wallet_ids)
    ORDER BY id
    FOR NO KEY UPDATE;
    IF cardinality(keys) > 0 THEN
        -- OFFSET 0 has each key looked up by itself, whatever number of them the plan was made for.
        is_used := EXISTS (
            SELECT 1 FROM unnest(key_wallet_ids, keys) AS asked (wallet_id, idempotency_key)
            WHERE EXISTS (
                SELECT 1 FROM public.ledger_requests AS used
                WHERE used.org_id = organization AND used.is_test = test
                    AND used.scope = asked.wallet_id
                    AND used.idempotency_key = asked.idempotency_key
                OFFSET 0
            )
        );
    END IF;
    RETURN QUERY
    SELECT state.id, state.customer_id, state.currency, state.status, state.money_account_id,
        state.reserved_account_id, state.provider_account_id, state.revenue_account_id,
        state.created_at, state.updated_at, state.balance::numeric, state.reserved_balance::numeric,
        state.entries::bigint, state.top_up_threshold, is_used
    FROM public.wallet_states AS state
    WHERE state.org_id = organization AND state.is_test = test AND state.id = ANY (wallet_ids);
END
$$;
REVOKE EXECUTE ON FUNCTION lock_wallets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_wallets TO monigo_app;

-- As `lock_wallets`, the wallets of customers in currencies, which stand side by side.
CREATE FUNCTION lock_wallets_of_owners(
    organization uuid, test boolean, customer_ids uuid[], currencies text[]
) RETURNS TABLE (
    id uuid, customer_id uuid, currency text, status text, money_account_id uuid,
    reserved_account_id uuid, provider_account_id uuid, revenue_account_id uuid,
    created_at timestamptz, updated_at timestamptz, balance numeric, reserved_balance numeric,
    entries bigint, top_up_threshold numeric
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    wallet_ids uuid[] := ARRAY(
        SELECT wallet.id
        FROM public.wallets AS wallet
        WHERE wallet.org_id = organization AND wallet.is_test = test
            AND (wallet.customer_id, wallet.currency) IN (
                SELECT owner.customer_id, owner.currency
                FROM unnest(customer_ids, currencies) AS owner (customer_id, currency)
            )
    );
BEGIN
    RETURN QUERY
    SELECT locked.id, locked.customer_id, locked.currency, locked.status, locked.money_account_id,
        locked.reserved_account_id, locked.provider_account_id, locked.revenue_account_id,
        locked.created_at, locked.updated_at, locked.balance, locked.reserved_balance,
        locked.entries, locked.top_up_threshold
    FROM public.lock_wallets(organization, test, wallet_ids, '{}', '{}') AS locked;
END
$$;
REVOKE EXECUTE ON FUNCTION lock_wallets_of_owners FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_wallets_of_owners TO monigo_app;
