-- The ledger: accounts, and transfers between them. The application makes accounts and posts transfers by
-- `post_ledger_transfers`: balances, sequences and chains are the database's own work.

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

-- `balance`, `sequence` and `chain_hash` are the head of the account's chain: what its last transfer left.
-- Accounts of the merchant's side (provider, revenue) have what came in as a negative balance.
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
SELECT restrict_to_tenant('ledger_accounts');
GRANT SELECT, INSERT (org_id, is_test, id, kind, currency, created_at) ON ledger_accounts TO monigo_app;

-- What a transfer's and a request's columns may hold.
CREATE DOMAIN ledger_amount AS numeric(24, 6) CONSTRAINT ledger_transfers_amount_positive
    CHECK (VALUE > 0 AND VALUE <> 'NaN');
CREATE DOMAIN ledger_entry_type AS text CONSTRAINT ledger_transfers_entry_type_known CHECK (
    VALUE IN (
        'deposit', 'withdrawal', 'usage', 'refund', 'adjustment', 'reservation', 'release',
        'credit_grant', 'credit_expiry', 'credit_revocation'
    )
);
CREATE DOMAIN ledger_entry_sequence AS bigint CONSTRAINT ledger_transfers_sequences_positive
    CHECK (VALUE > 0);
CREATE DOMAIN ledger_entry_hash AS bytea CONSTRAINT ledger_transfers_hashes_are_sha256
    CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN ledger_request_key AS text CONSTRAINT ledger_requests_key_not_empty CHECK (VALUE <> '');
CREATE DOMAIN ledger_request_hash AS bytea CONSTRAINT ledger_requests_hash_is_sha256
    CHECK (octet_length(VALUE) = 32);

-- One row is one transfer of an amount from one account to another. Its two sides are what
-- accountants call entries: a debit of the account it comes from, a credit of the one it goes to. That both
-- exist, of its tenant and currency, and stay, is looked at once for each statement, by triggers.
CREATE TABLE ledger_transfers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    from_account_id uuid NOT NULL,
    to_account_id uuid NOT NULL,
    amount ledger_amount NOT NULL,
    currency text NOT NULL,
    entry_type ledger_entry_type NOT NULL,
    description text NOT NULL,
    reference_type text NOT NULL,
    reference_id text NOT NULL,
    counterparty text NOT NULL,
    idempotency_key text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    from_balance_before numeric(24, 6) NOT NULL,
    from_balance_after numeric(24, 6) NOT NULL,
    from_sequence ledger_entry_sequence NOT NULL,
    from_chain_hash ledger_entry_hash NOT NULL,
    to_balance_before numeric(24, 6) NOT NULL,
    to_balance_after numeric(24, 6) NOT NULL,
    to_sequence ledger_entry_sequence NOT NULL,
    to_chain_hash ledger_entry_hash NOT NULL,
    CONSTRAINT ledger_transfers_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT ledger_transfers_between_two_accounts CHECK (from_account_id <> to_account_id),
    CONSTRAINT ledger_transfers_balances_follow CHECK (
        from_balance_after = from_balance_before - amount
        AND to_balance_after = to_balance_before + amount
    )
);
SELECT restrict_to_tenant('ledger_transfers');
GRANT SELECT ON ledger_transfers TO monigo_app;
-- An account's entries in their order; no two of them have one place.
CREATE UNIQUE INDEX ledger_transfers_from_sequence_unique
    ON ledger_transfers (org_id, is_test, from_account_id, from_sequence);
CREATE UNIQUE INDEX ledger_transfers_to_sequence_unique
    ON ledger_transfers (org_id, is_test, to_account_id, to_sequence);
-- What wallets paid for an invoice or a realtime period; of billing's own transfers only, which have
-- no idempotency key, so that other movements cost nothing more.
CREATE INDEX ledger_transfers_of_payments ON ledger_transfers (org_id, is_test, reference_id)
    WHERE idempotency_key = '' AND reference_type IN ('invoice', 'subscription_period');

-- What was asked under an idempotency key, and what came of it: a repeat gets the same answer.
-- `scope` is what the key is unique in; `result` is what the asker wants to remember.
CREATE TABLE ledger_requests (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    scope uuid NOT NULL,
    idempotency_key ledger_request_key NOT NULL,
    content_hash ledger_request_hash NOT NULL,
    transfer_ids uuid[] NOT NULL,
    result jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT ledger_requests_pkey PRIMARY KEY (org_id, is_test, scope, idempotency_key)
);
SELECT restrict_to_tenant('ledger_requests');
GRANT SELECT ON ledger_requests TO monigo_app;

-- A transfer to make; `source` and `target` are places in the list of accounts that it comes with.
CREATE TYPE ledger_posting AS (
    id uuid, transaction_id uuid, source integer, target integer, amount numeric, currency text,
    entry_type text, description text, reference_type text, reference_id text, counterparty text,
    idempotency_key text, metadata jsonb
);

-- What was asked under a key, with the transfers that come of it.
CREATE TYPE ledger_request AS (
    scope uuid, idempotency_key text, content_hash bytea, transfer_ids uuid[], result jsonb
);
