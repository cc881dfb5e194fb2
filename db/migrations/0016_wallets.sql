-- Wallets: a customer's money at the merchant, what of it is held, and credits given for nothing.

-- Each wallet has accounts of its own in the ledger, also for the merchant's side, so that no two
-- wallets ever wait for one row.
CREATE TABLE wallets (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    money_account_id uuid NOT NULL,
    reserved_account_id uuid NOT NULL,
    provider_account_id uuid NOT NULL,
    revenue_account_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT wallets_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT wallets_currency_fixed UNIQUE (org_id, is_test, id, currency),
    CONSTRAINT wallets_one_per_customer_and_currency
        UNIQUE (org_id, is_test, customer_id, currency),
    CONSTRAINT wallets_status_known CHECK (status IN ('active', 'suspended', 'closed')),
    CONSTRAINT wallets_closed_has_its_time CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
SELECT make_tenant_table('wallets',
    'SELECT, INSERT, UPDATE (status, updated_at, closed_at)'
);
ALTER TABLE wallets ADD CONSTRAINT wallets_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE wallets ADD CONSTRAINT wallets_money_account_fkey
    FOREIGN KEY (org_id, is_test, money_account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE wallets ADD CONSTRAINT wallets_reserved_account_fkey
    FOREIGN KEY (org_id, is_test, reserved_account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE wallets ADD CONSTRAINT wallets_provider_account_fkey
    FOREIGN KEY (org_id, is_test, provider_account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE wallets ADD CONSTRAINT wallets_revenue_account_fkey
    FOREIGN KEY (org_id, is_test, revenue_account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE UNIQUE INDEX wallets_money_account_unique ON wallets (org_id, is_test, money_account_id);
CREATE UNIQUE INDEX wallets_reserved_account_unique
    ON wallets (org_id, is_test, reserved_account_id);
CREATE INDEX wallets_newest_first ON wallets (org_id, is_test, created_at DESC, id DESC);

-- A wallet with what its accounts hold. Its reader's own rights and row-level security apply.
CREATE VIEW wallet_states WITH (security_invoker = true) AS
SELECT wallet.org_id, wallet.is_test, wallet.id, wallet.customer_id, wallet.currency, wallet.status,
    wallet.money_account_id, wallet.reserved_account_id, wallet.provider_account_id,
    wallet.revenue_account_id, wallet.created_at,
    greatest(wallet.updated_at, money.moved_at, reserved.moved_at) AS updated_at,
    money.balance, reserved.balance AS reserved_balance, money.sequence AS entries
FROM wallets AS wallet
JOIN ledger_accounts AS money
    ON money.org_id = wallet.org_id AND money.is_test = wallet.is_test
    AND money.id = wallet.money_account_id
JOIN ledger_accounts AS reserved
    ON reserved.org_id = wallet.org_id AND reserved.is_test = wallet.is_test
    AND reserved.id = wallet.reserved_account_id;
GRANT SELECT ON wallet_states TO monigo_app;

-- Locks wallets in the order of their ids, then reads them: in a statement of its own, because the
-- one that waited for the locks still sees what was there before.
CREATE FUNCTION lock_wallets(organization uuid, test boolean, wallet_ids uuid[])
RETURNS SETOF wallet_states
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM wallets
    WHERE org_id = organization AND is_test = test AND id = ANY (wallet_ids)
    ORDER BY id
    FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT state.org_id, state.is_test, state.id, state.customer_id, state.currency, state.status,
        state.money_account_id, state.reserved_account_id, state.provider_account_id,
        state.revenue_account_id, state.created_at, state.updated_at, state.balance,
        state.reserved_balance, state.entries
    FROM wallet_states AS state
    WHERE state.org_id = organization AND state.is_test = test AND state.id = ANY (wallet_ids);
END
$$;

-- Whoever closes a wallet must have emptied it.
CREATE FUNCTION keep_closed_wallet_empty() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF new.status = 'closed' AND EXISTS (
        SELECT 1 FROM ledger_accounts
        WHERE org_id = new.org_id AND is_test = new.is_test
            AND id IN (new.money_account_id, new.reserved_account_id) AND balance <> 0
    ) THEN
        RAISE EXCEPTION 'a wallet with money does not close'
            USING ERRCODE = '23514', CONSTRAINT = 'wallets_closed_is_empty';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER keep_closed_wallet_empty BEFORE INSERT OR UPDATE ON wallets
    FOR EACH ROW EXECUTE FUNCTION keep_closed_wallet_empty();

-- Money held for a payment in flight. While it is open, it lies in the wallet's reserved account.
CREATE TABLE wallet_reservations (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    captured_amount numeric(24, 6) NOT NULL,
    status text NOT NULL,
    description text NOT NULL,
    reference_type text NOT NULL,
    reference_id text NOT NULL,
    metadata jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT wallet_reservations_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT wallet_reservations_status_known
        CHECK (status IN ('open', 'captured', 'released', 'expired')),
    CONSTRAINT wallet_reservations_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT wallet_reservations_captured_within_amount CHECK (
        CASE status WHEN 'captured' THEN captured_amount > 0 ELSE captured_amount = 0 END
        AND captured_amount <= amount
    ),
    CONSTRAINT wallet_reservations_settled_has_its_time
        CHECK ((status = 'open') = (settled_at IS NULL)),
    CONSTRAINT wallet_reservations_expires_later CHECK (expires_at > created_at)
);
SELECT make_tenant_table('wallet_reservations',
    'SELECT, INSERT, UPDATE (status, captured_amount, updated_at, settled_at)'
);
ALTER TABLE wallet_reservations ADD CONSTRAINT wallet_reservations_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE INDEX wallet_reservations_of_wallet
    ON wallet_reservations (org_id, is_test, wallet_id, created_at DESC, id DESC);
CREATE INDEX wallet_reservations_open
    ON wallet_reservations (org_id, is_test, expires_at) WHERE status = 'open';

-- What a reservation came to stays so.
CREATE FUNCTION keep_settled_reservation() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF old.status <> 'open' THEN
        RAISE EXCEPTION 'a settled reservation does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_reservations_settled_once';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER keep_settled_reservation BEFORE UPDATE ON wallet_reservations
    FOR EACH ROW EXECUTE FUNCTION keep_settled_reservation();

-- Credit that a merchant grants, consumed by usage before money is. What is left of it is the
-- balance of its account; no metric ids mean usage of any metric.
CREATE TABLE credit_grants (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    priority integer NOT NULL,
    metric_ids uuid[] NOT NULL,
    description text NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expired_at timestamptz,
    CONSTRAINT credit_grants_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT credit_grants_account_unique UNIQUE (org_id, is_test, account_id),
    CONSTRAINT credit_grants_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT credit_grants_expires_later CHECK (expires_at > created_at),
    CONSTRAINT credit_grants_expired_in_time CHECK (expired_at >= expires_at)
);
SELECT make_tenant_table('credit_grants', 'SELECT, INSERT, UPDATE (updated_at, expired_at)');
ALTER TABLE credit_grants ADD CONSTRAINT credit_grants_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE credit_grants ADD CONSTRAINT credit_grants_account_fkey
    FOREIGN KEY (org_id, is_test, account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE INDEX credit_grants_of_wallet
    ON credit_grants (org_id, is_test, wallet_id, created_at DESC, id DESC);
CREATE INDEX credit_grants_not_expired
    ON credit_grants (org_id, is_test, expires_at) WHERE expired_at IS NULL;
