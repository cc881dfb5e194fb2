-- Many transfers at once: accounts are read and written once a posting, not twice a transfer. The
-- application adds transfers by this function and in no other way.

DROP TRIGGER chain_ledger_transfer ON ledger_transfers;
DROP FUNCTION chain_ledger_transfer();
DROP FUNCTION lock_ledger_accounts(uuid[]);
DROP FUNCTION ledger_transfer_content(ledger_transfers);
REVOKE ALL ON ledger_transfers FROM monigo_app;
GRANT SELECT ON ledger_transfers TO monigo_app;

-- Rules of single columns as domains, which are read once a session and not by each posting.
CREATE DOMAIN ledger_amount AS numeric(24, 6) CONSTRAINT ledger_transfers_amount_positive
    CHECK (VALUE > 0 AND VALUE <> 'NaN');
CREATE DOMAIN ledger_entry_type AS text CONSTRAINT ledger_transfers_entry_type_known CHECK (
    VALUE IN (
        'deposit', 'withdrawal', 'usage', 'refund', 'adjustment',
        'reservation', 'release', 'credit_grant', 'credit_expiry'
    )
);
CREATE DOMAIN ledger_entry_sequence AS bigint CONSTRAINT ledger_transfers_sequences_positive
    CHECK (VALUE > 0);
CREATE DOMAIN ledger_entry_hash AS bytea CONSTRAINT ledger_transfers_hashes_are_sha256
    CHECK (octet_length(VALUE) = 32);
ALTER TABLE ledger_transfers
    DROP CONSTRAINT ledger_transfers_amount_positive,
    DROP CONSTRAINT ledger_transfers_entry_type_known,
    DROP CONSTRAINT ledger_transfers_sequences_positive,
    DROP CONSTRAINT ledger_transfers_hashes_are_sha256,
    ALTER COLUMN amount TYPE ledger_amount,
    ALTER COLUMN entry_type TYPE ledger_entry_type,
    ALTER COLUMN from_sequence TYPE ledger_entry_sequence,
    ALTER COLUMN to_sequence TYPE ledger_entry_sequence,
    ALTER COLUMN from_chain_hash TYPE ledger_entry_hash,
    ALTER COLUMN to_chain_hash TYPE ledger_entry_hash;

-- What a transfer says, as the bytes that its two chains are made of; the same on every server,
-- whatever its time zone.
CREATE FUNCTION ledger_transfer_content(
    org_id uuid, is_test boolean, id uuid, transaction_id uuid, from_account_id uuid,
    to_account_id uuid, amount numeric, currency text, entry_type text, description text,
    reference_type text, reference_id text, counterparty text, idempotency_key text,
    metadata jsonb, created_at timestamptz
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT convert_to(
        jsonb_build_array(
            org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount, currency,
            entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
            metadata, extract(epoch FROM created_at)
        )::text,
        'UTF8'
    )
$$;

-- A transfer to make; `source` and `target` are places in the list of accounts that it comes with.
CREATE TYPE ledger_posting AS (
    id uuid, transaction_id uuid, source integer, target integer, amount numeric, currency text,
    entry_type text, description text, reference_type text, reference_id text, counterparty text,
    idempotency_key text, metadata jsonb
);

-- Makes transfers in their order, all or none, and tells what they did to both sides. `account_ids`
-- names each account once, in order; in that order they are locked, so that no two postings wait for
-- each other.
--
-- It runs as the owner, who alone may move heads. What it may touch are the accounts of the tenant
-- that the transaction is bound to, as row-level security has it. The plans are kept whatever the
-- number of transfers: to plan anew would cost more than ten of them.
CREATE FUNCTION post_ledger_transfers(
    account_ids uuid[], postings ledger_posting[], made_at timestamptz
) RETURNS TABLE (
    id uuid, from_balance_before numeric, from_balance_after numeric, from_sequence bigint,
    to_balance_before numeric, to_balance_after numeric, to_sequence bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    organization uuid := nullif(current_setting('app.org_id', true), '')::uuid;
    test boolean := nullif(current_setting('app.is_test', true), '')::boolean;
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
    SELECT array_agg(head.id), array_agg(head.balance), array_agg(head.sequence),
        array_agg(head.chain_hash), array_agg(head.kind IN ('provider', 'revenue'))
    INTO accounts, balances, sequences, hashes, may_owe
    FROM (
        SELECT account.id, account.balance, account.sequence, account.chain_hash, account.kind
        FROM ledger_accounts AS account
        WHERE account.org_id = organization AND account.is_test = test
            AND account.id = ANY (account_ids)
        ORDER BY account.id
        FOR NO KEY UPDATE
    ) AS head;
    IF coalesce(accounts, '{}') IS DISTINCT FROM account_ids THEN
        PERFORM refuse_ledger_accounts(account_ids, postings);
    END IF;

    FOR source, target, amount, content IN
        SELECT posting.source, posting.target, posting.amount, ledger_transfer_content(
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
        hashes[source] := ledger_chain_link(
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
        hashes[target] := ledger_chain_link(
            hashes[target], content, sequences[target], balances[target]
        );
        to_balances[place] := balances[target];
        to_sequences[place] := sequences[target];
        to_hashes[place] := hashes[target];
    END LOOP;

    RETURN QUERY
    INSERT INTO ledger_transfers (
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
    )
    RETURNING id, from_balance_before, from_balance_after, from_sequence::bigint,
        to_balance_before, to_balance_after, to_sequence::bigint;

    UPDATE ledger_accounts AS account
    SET balance = moved.balance, sequence = moved.sequence, chain_hash = moved.chain_hash,
        moved_at = made_at
    FROM unnest(accounts, balances, sequences, hashes)
        AS moved (id, balance, sequence, chain_hash)
    WHERE account.org_id = organization AND account.is_test = test AND account.id = moved.id
        AND account.sequence <> moved.sequence;
END
$$;
REVOKE EXECUTE ON FUNCTION post_ledger_transfers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_ledger_transfers TO monigo_app;

-- Ends a posting whose accounts are not all there: an account that the transaction's tenant lacks is
-- told in the name of the key that would refuse the transfer.
CREATE FUNCTION refuse_ledger_accounts(
    account_ids uuid[], postings ledger_posting[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    unknown integer;
BEGIN
    SELECT asked.place INTO unknown
    FROM unnest(account_ids) WITH ORDINALITY AS asked (id, place)
    WHERE NOT EXISTS (
        SELECT 1 FROM ledger_accounts AS account
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
