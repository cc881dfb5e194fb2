-- How money moves: one function of the owner's makes transfers, and triggers keep what they are made of.

-- A transfer's content as the bytes that its two chains hash; the same on every server, in any time zone.
CREATE OR REPLACE FUNCTION ledger_transfer_content(
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

-- A link of an account's chain: over the link before it, the transfer, and what it leaves.
CREATE OR REPLACE FUNCTION ledger_chain_link(
    previous bytea, content bytea, sequence bigint, balance numeric
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || content || convert_to(sequence || ' ' || balance, 'UTF8'))
$$;

-- Makes transfers in their order, all or none, stores their requests, and returns both entries of each
-- transfer. `account_ids` names each account once, in order; in that order they are locked, so that no two
-- postings wait for each other.
--
-- A sub-select around an array hides its length from the planner, which else makes a plan for each call with a
-- short one, at twice the price of the call. It runs as the owner, who alone may change the heads of chains, on
-- rows of the transaction's tenant only, which the first two arguments must name. As it has checked the
-- accounts that it has locked, `check_accounts_of_transfers` does not look at them again (`app.is_posting`).
CREATE OR REPLACE FUNCTION post_ledger_transfers(
    organization uuid, test boolean, account_ids uuid[], postings ledger_posting[],
    requests ledger_request[], made_at timestamptz
) RETURNS TABLE (
    id uuid, from_balance_before numeric, from_balance_after numeric, from_sequence bigint,
    to_balance_before numeric, to_balance_after numeric, to_sequence bigint
)
LANGUAGE plpgsql SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, public, pg_temp SET app.is_posting = 'on' AS $$
#variable_conflict use_column
DECLARE
    -- The accounts, each once, and their heads as each transfer leaves them.
    accounts uuid[];
    currencies text[];
    balances numeric[];
    sequences bigint[];
    hashes bytea[];
    may_owe boolean[];
    may_hold boolean[];
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
    is_of_currency boolean;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    SELECT array_agg(head.id), array_agg(head.currency), array_agg(head.balance),
        array_agg(head.sequence), array_agg(head.chain_hash),
        array_agg(head.kind NOT IN (
            'customer_wallet', 'reserved', 'credit_grant', 'tax_payable', 'payable',
            'payouts_in_flight', 'withholding_payable'
        )),
        array_agg(head.kind NOT IN (
            'receivable', 'external', 'provider_fees', 'bad_debt', 'dispute_losses',
            'payout_expense'
        ))
    INTO accounts, currencies, balances, sequences, hashes, may_owe, may_hold
    FROM (
        SELECT account.id, account.currency, account.balance, account.sequence,
            account.chain_hash, account.kind
        FROM public.ledger_accounts AS account
        WHERE account.org_id = organization AND account.is_test = test
            AND account.id = ANY ((SELECT account_ids)::uuid[])
        ORDER BY account.id
        FOR NO KEY UPDATE
    ) AS head;
    IF coalesce(accounts, '{}') IS DISTINCT FROM account_ids THEN
        PERFORM public.refuse_ledger_accounts(organization, test, account_ids, postings);
    END IF;

    FOR source, target, amount, is_of_currency, content IN
        SELECT posting.source, posting.target, posting.amount,
            (currencies[posting.source], currencies[posting.target])
                = (posting.currency, posting.currency),
            public.ledger_transfer_content(
                organization, test, posting.id, posting.transaction_id, accounts[posting.source],
                accounts[posting.target], posting.amount::numeric(24, 6), posting.currency,
                posting.entry_type, posting.description, posting.reference_type,
                posting.reference_id, posting.counterparty, posting.idempotency_key,
                posting.metadata, made_at
            )
        FROM unnest((SELECT postings)) AS posting
    LOOP
        IF is_of_currency IS FALSE THEN
            PERFORM public.refuse_ledger_currency(postings, accounts, currencies);
        END IF;
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
        IF balances[target] > 0 AND NOT may_hold[target] THEN
            RAISE EXCEPTION 'account % takes more than it gave', accounts[target]
                USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_balance_not_positive';
        END IF;
        to_balances[place] := balances[target];
        to_sequences[place] := sequences[target];
        to_hashes[place] := hashes[target];
    END LOOP;

    RETURN QUERY
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
        (SELECT postings), (SELECT from_balances), (SELECT from_sequences), (SELECT from_hashes),
        (SELECT to_balances), (SELECT to_sequences), (SELECT to_hashes)
    ) AS posted (
        id, transaction_id, source, target, amount, currency, entry_type, description,
        reference_type, reference_id, counterparty, idempotency_key, metadata,
        from_balance, from_sequence, from_hash, to_balance, to_sequence, to_hash
    )
    RETURNING id, from_balance_before, from_balance_after, from_sequence::bigint,
        to_balance_before, to_balance_after, to_sequence::bigint;

    UPDATE public.ledger_accounts AS account
    SET balance = moved.balance, sequence = moved.sequence, chain_hash = moved.chain_hash,
        moved_at = made_at
    FROM unnest(
        (SELECT accounts), (SELECT balances), (SELECT sequences), (SELECT hashes)
    ) AS moved (id, balance, sequence, chain_hash)
    WHERE account.org_id = organization AND account.is_test = test AND account.id = moved.id
        AND account.sequence <> moved.sequence;

    IF cardinality(requests) > 0 THEN
        INSERT INTO public.ledger_requests (
            org_id, is_test, scope, idempotency_key, content_hash, transfer_ids, result, created_at
        )
        SELECT organization, test, request.scope, request.idempotency_key, request.content_hash,
            request.transfer_ids, request.result, made_at
        FROM unnest((SELECT requests)) AS request;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION post_ledger_transfers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_ledger_transfers TO monigo_app;

-- Ends a posting whose accounts are not all there: an account that the tenant lacks is reported as a violation
-- of the foreign key that would refuse the transfer.
CREATE OR REPLACE FUNCTION refuse_ledger_accounts(
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

-- Ends a posting of which a transfer's account is in another currency, in the name of the key that would
-- refuse the transfer.
CREATE OR REPLACE FUNCTION refuse_ledger_currency(
    postings ledger_posting[], accounts uuid[], currencies text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    missed record;
BEGIN
    SELECT accounts[side.place] AS account_id, side.name, posting.currency INTO STRICT missed
    FROM unnest(postings) AS posting
    CROSS JOIN LATERAL (
        VALUES ('from', posting.source), ('to', posting.target)
    ) AS side (name, place)
    WHERE currencies[side.place] <> posting.currency
    LIMIT 1;
    RAISE EXCEPTION 'no account % in %', missed.account_id, missed.currency
        USING ERRCODE = '23503',
        CONSTRAINT = format('ledger_transfers_%s_account_fkey', missed.name);
END
$$;

-- That a transfer's accounts exist, of its tenant and currency, and stay, is looked at once for each
-- statement. As foreign keys it was looked at for each row and side, which took a seventh of
-- PostgreSQL's time of a movement. What a statement changed is gathered tenant by tenant, and then asked
-- about in one query: a join of it with a table is nothing that a cluster runs.
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
                AND account.id = ANY ((SELECT asked.account_ids)::uuid[])
                AND account.currency = asked.currency
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
CREATE OR REPLACE TRIGGER check_accounts_of_new_transfers AFTER INSERT ON ledger_transfers
REFERENCING NEW TABLE AS made FOR EACH STATEMENT
WHEN (current_setting('app.is_posting', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION check_accounts_of_transfers();
CREATE OR REPLACE TRIGGER check_accounts_of_changed_transfers AFTER UPDATE ON ledger_transfers
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION check_accounts_of_transfers();

-- No posting adds a transfer of an account meanwhile: it holds its accounts (`post_ledger_transfers`).
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
CREATE OR REPLACE TRIGGER keep_accounts_of_transfers AFTER DELETE ON ledger_accounts
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_accounts_of_transfers();

CREATE OR REPLACE FUNCTION keep_ledger_account() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'an account stays what it is'
        USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_identity_fixed';
END
$$;
CREATE OR REPLACE TRIGGER keep_ledger_account
BEFORE UPDATE OF org_id, is_test, id, currency, customer_id ON ledger_accounts
FOR EACH ROW WHEN (
    (old.org_id, old.is_test, old.id, old.currency, old.customer_id)
    IS DISTINCT FROM (new.org_id, new.is_test, new.id, new.currency, new.customer_id)
)
EXECUTE FUNCTION keep_ledger_account();
