-- The ledger: accounts, and transfers between them. The application adds transfers and nothing
-- else: balances, sequences and chains are the database's own work.

-- What an account's columns may hold. Rules of a domain are read once a session; those of a table are
-- read anew by each statement, which for two single-row updates a transfer would be half of its cost.
CREATE DOMAIN ledger_account_kind AS text CONSTRAINT ledger_accounts_kind_known
    CHECK (VALUE IN ('customer_wallet', 'reserved', 'credit_grant', 'provider', 'revenue'));
CREATE DOMAIN ledger_currency AS text CONSTRAINT ledger_accounts_currency_is_iso_4217
    CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN ledger_balance AS numeric(24, 6) CONSTRAINT ledger_accounts_balance_is_a_number
    CHECK (VALUE <> 'NaN');
CREATE DOMAIN ledger_sequence AS bigint CONSTRAINT ledger_accounts_sequence_not_negative
    CHECK (VALUE >= 0);
CREATE DOMAIN ledger_chain_hash AS bytea CONSTRAINT ledger_accounts_hash_is_sha256
    CHECK (octet_length(VALUE) = 32);

-- `balance`, `sequence` and `chain_hash` are the head of the account's chain: what its last transfer
-- left. Accounts of the merchant's side (provider, revenue) say what came in as less than zero.
CREATE TABLE ledger_accounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    kind ledger_account_kind NOT NULL,
    currency ledger_currency NOT NULL,
    balance ledger_balance NOT NULL DEFAULT 0,
    sequence ledger_sequence NOT NULL DEFAULT 0,
    chain_hash ledger_chain_hash NOT NULL DEFAULT sha256(''),
    created_at timestamptz NOT NULL,
    moved_at timestamptz,
    CONSTRAINT ledger_accounts_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT ledger_accounts_currency_fixed UNIQUE (org_id, is_test, id, currency),
    CONSTRAINT ledger_accounts_balance_not_negative
        CHECK (balance >= 0 OR kind IN ('provider', 'revenue'))
);
-- An account begins empty, and no right lets the application set what only transfers may move.
SELECT make_tenant_table('ledger_accounts',
    'SELECT, INSERT (org_id, is_test, id, kind, currency, created_at)'
);

-- One row is one transfer of an amount from one account to another. Its two sides are what
-- accountants call entries: a debit of the account it comes from, a credit of the one it goes to.
CREATE TABLE ledger_transfers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    from_account_id uuid NOT NULL,
    to_account_id uuid NOT NULL,
    amount numeric(24, 6) NOT NULL,
    currency text NOT NULL,
    entry_type text NOT NULL,
    description text NOT NULL,
    reference_type text NOT NULL,
    reference_id text NOT NULL,
    counterparty text NOT NULL,
    idempotency_key text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    from_balance_before numeric(24, 6) NOT NULL,
    from_balance_after numeric(24, 6) NOT NULL,
    from_sequence bigint NOT NULL,
    from_chain_hash bytea NOT NULL,
    to_balance_before numeric(24, 6) NOT NULL,
    to_balance_after numeric(24, 6) NOT NULL,
    to_sequence bigint NOT NULL,
    to_chain_hash bytea NOT NULL,
    CONSTRAINT ledger_transfers_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT ledger_transfers_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT ledger_transfers_between_two_accounts CHECK (from_account_id <> to_account_id),
    CONSTRAINT ledger_transfers_entry_type_known CHECK (
        entry_type IN (
            'deposit', 'withdrawal', 'usage', 'refund', 'adjustment',
            'reservation', 'release', 'credit_grant', 'credit_expiry'
        )
    ),
    CONSTRAINT ledger_transfers_balances_follow CHECK (
        from_balance_after = from_balance_before - amount
        AND to_balance_after = to_balance_before + amount
    ),
    CONSTRAINT ledger_transfers_sequences_positive CHECK (from_sequence > 0 AND to_sequence > 0),
    CONSTRAINT ledger_transfers_hashes_are_sha256
        CHECK (octet_length(from_chain_hash) = 32 AND octet_length(to_chain_hash) = 32)
);
SELECT make_tenant_table('ledger_transfers',
    'SELECT, INSERT (org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount,'
    ' currency, entry_type, description, reference_type, reference_id, counterparty,'
    ' idempotency_key, metadata, created_at)'
);
-- The currency travels in the keys, so that no transfer can join two currencies.
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_from_account_fkey
    FOREIGN KEY (org_id, is_test, from_account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_to_account_fkey
    FOREIGN KEY (org_id, is_test, to_account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
-- An account's entries in their order; no two of them have one place.
CREATE UNIQUE INDEX ledger_transfers_from_sequence_unique
    ON ledger_transfers (org_id, is_test, from_account_id, from_sequence);
CREATE UNIQUE INDEX ledger_transfers_to_sequence_unique
    ON ledger_transfers (org_id, is_test, to_account_id, to_sequence);

-- What was asked under an idempotency key, and what came of it: a repeat gets the same answer.
-- `scope` is what the key is unique in; `result` is what the asker wants to remember.
CREATE TABLE ledger_requests (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    scope uuid NOT NULL,
    idempotency_key text NOT NULL,
    content_hash bytea NOT NULL,
    transfer_ids uuid[] NOT NULL,
    result jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT ledger_requests_pkey PRIMARY KEY (org_id, is_test, scope, idempotency_key),
    CONSTRAINT ledger_requests_key_not_empty CHECK (idempotency_key <> ''),
    CONSTRAINT ledger_requests_hash_is_sha256 CHECK (octet_length(content_hash) = 32)
);
SELECT make_tenant_table('ledger_requests', 'SELECT, INSERT');

-- What a transfer says, as the bytes that its two chains are made of; the same on every server,
-- whatever its time zone.
CREATE FUNCTION ledger_transfer_content(transfer ledger_transfers) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT convert_to(
        jsonb_build_array(
            transfer.org_id, transfer.is_test, transfer.id, transfer.transaction_id,
            transfer.from_account_id, transfer.to_account_id, transfer.amount, transfer.currency,
            transfer.entry_type, transfer.description, transfer.reference_type,
            transfer.reference_id, transfer.counterparty, transfer.idempotency_key,
            transfer.metadata, extract(epoch FROM transfer.created_at)
        )::text,
        'UTF8'
    )
$$;

-- A link of an account's chain: over the link before it, the transfer, and what it leaves.
CREATE FUNCTION ledger_chain_link(
    previous bytea, content bytea, sequence bigint, balance numeric
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || content || convert_to(sequence || ' ' || balance, 'UTF8'))
$$;

-- Takes both accounts in the order of their ids, so that two transfers never wait for each other,
-- and fills in what the transfer leaves on each side. It runs as the owner, who alone may move
-- heads; what it may touch is said by the row, which row-level security holds to its tenant.
CREATE FUNCTION chain_ledger_transfer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    content bytea := ledger_transfer_content(new);
    is_debit boolean := new.from_account_id < new.to_account_id;
    moved_id uuid;
    change numeric;
    balance_after numeric;
    sequence_after bigint;
    hash_after bytea;
BEGIN
    FOR side IN 1..2 LOOP
        moved_id := CASE WHEN is_debit THEN new.from_account_id ELSE new.to_account_id END;
        change := CASE WHEN is_debit THEN -new.amount ELSE new.amount END;
        UPDATE ledger_accounts AS account
        SET balance = account.balance + change,
            sequence = account.sequence + 1,
            chain_hash = ledger_chain_link(
                account.chain_hash, content, account.sequence + 1, account.balance + change
            ),
            moved_at = new.created_at
        WHERE account.org_id = new.org_id AND account.is_test = new.is_test
            AND account.id = moved_id AND account.currency = new.currency
        RETURNING account.balance, account.sequence, account.chain_hash
        INTO balance_after, sequence_after, hash_after;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no account % in %', moved_id, new.currency
                USING ERRCODE = '23503', CONSTRAINT = CASE
                    WHEN is_debit THEN 'ledger_transfers_from_account_fkey'
                    ELSE 'ledger_transfers_to_account_fkey'
                END;
        END IF;
        IF is_debit THEN
            new.from_balance_before := balance_after - change;
            new.from_balance_after := balance_after;
            new.from_sequence := sequence_after;
            new.from_chain_hash := hash_after;
        ELSE
            new.to_balance_before := balance_after - change;
            new.to_balance_after := balance_after;
            new.to_sequence := sequence_after;
            new.to_chain_hash := hash_after;
        END IF;
        is_debit := NOT is_debit;
    END LOOP;
    RETURN new;
END
$$;
CREATE TRIGGER chain_ledger_transfer BEFORE INSERT ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION chain_ledger_transfer();

-- Takes many accounts of the transaction's own tenant in the order of their ids, before many
-- transfers between them. The application has no right that would let it lock them itself.
CREATE FUNCTION lock_ledger_accounts(account_ids uuid[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ledger_accounts
    WHERE org_id = nullif(current_setting('app.org_id', true), '')::uuid
        AND is_test = nullif(current_setting('app.is_test', true), '')::boolean
        AND id = ANY (account_ids)
    ORDER BY id
    FOR NO KEY UPDATE;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION lock_ledger_accounts(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_ledger_accounts(uuid[]) TO monigo_app;
