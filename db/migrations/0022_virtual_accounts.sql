-- Virtual accounts: bank account numbers at providers, whose deposits fund wallets.
-- The table of payments is new, too, and has no rows yet.
-- squawk-ignore-file adding-foreign-key-constraint, constraint-missing-not-valid

-- One is intended before the provider is asked for it, and then has a number of the provider's, or a
-- reason why not. Closed ones stay: money may come into them still.
CREATE TABLE virtual_accounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    currency text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    account_number text NOT NULL DEFAULT '',
    account_name text NOT NULL DEFAULT '',
    bank_name text NOT NULL DEFAULT '',
    bank_code text NOT NULL DEFAULT '',
    provider_id text NOT NULL DEFAULT '',
    provider_customer text NOT NULL DEFAULT '',
    failure_field text NOT NULL DEFAULT '',
    failure_reason text NOT NULL DEFAULT '',
    asked integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    submitted_at timestamptz,
    opened_at timestamptz,
    last_used_at timestamptz,
    closed_at timestamptz,
    CONSTRAINT virtual_accounts_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT virtual_accounts_reference_unique UNIQUE (org_id, is_test, reference),
    CONSTRAINT virtual_accounts_state_known CHECK (
        state IN ('created', 'submitted', 'unknown', 'active', 'failed', 'closing', 'closed')
    ),
    CONSTRAINT virtual_accounts_opened_have_a_number CHECK (
        (state IN ('active', 'closing', 'closed')) = (opened_at IS NOT NULL)
        AND (opened_at IS NOT NULL) = (account_number <> '')
    ),
    CONSTRAINT virtual_accounts_sent_have_their_time
        CHECK (state IN ('created', 'failed') OR submitted_at IS NOT NULL),
    CONSTRAINT virtual_accounts_failed_say_why
        CHECK ((state = 'failed') = (failure_reason <> '' AND failure_field <> '')),
    CONSTRAINT virtual_accounts_closed_has_its_time
        CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT virtual_accounts_asked_not_negative CHECK (asked >= 0)
);
COMMENT ON COLUMN virtual_accounts.created_at IS 'the tenant''s time; the other instants are real';
SELECT restrict_to_tenant('virtual_accounts');
-- Whose it is, where, and under which reference never changes.
GRANT SELECT, INSERT, UPDATE (
    state, account_number, account_name, bank_name, bank_code, provider_id, provider_customer,
    failure_field, failure_reason, asked, updated_at, submitted_at, opened_at, last_used_at,
    closed_at
) ON virtual_accounts TO monigo_app;
ALTER TABLE virtual_accounts ADD CONSTRAINT virtual_accounts_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE virtual_accounts ADD CONSTRAINT virtual_accounts_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE virtual_accounts ADD CONSTRAINT virtual_accounts_credentials_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
-- Asking again for an account of a wallet finds the one that there is.
CREATE UNIQUE INDEX virtual_accounts_one_live_per_provider
    ON virtual_accounts (org_id, is_test, wallet_id, provider)
    WHERE state IN ('created', 'submitted', 'unknown', 'active', 'closing');
-- A deposit into a number is one wallet's.
CREATE UNIQUE INDEX virtual_accounts_number_of_one_wallet
    ON virtual_accounts (org_id, is_test, connection_id, account_number)
    WHERE state IN ('active', 'closing');
CREATE INDEX virtual_accounts_by_number
    ON virtual_accounts (org_id, is_test, connection_id, account_number)
    WHERE account_number <> '';
CREATE INDEX virtual_accounts_by_owner
    ON virtual_accounts (org_id, is_test, connection_id, provider_customer)
    WHERE provider_customer <> '';
CREATE INDEX virtual_accounts_of_wallet
    ON virtual_accounts (org_id, is_test, wallet_id, created_at DESC, id DESC);
ALTER TABLE payments ADD CONSTRAINT payments_virtual_account_fkey
    FOREIGN KEY (org_id, is_test, virtual_account_id)
    REFERENCES virtual_accounts (org_id, is_test, id) ON DELETE RESTRICT;
