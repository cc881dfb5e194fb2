-- Wallets: a customer's money at the merchant, what of it is held, credits given for nothing, and requests
-- for money.

-- Each wallet has accounts of its own in the ledger, also for the merchant's side, so that no two
-- wallets ever wait for one row. The rule of auto top-up stands in the wallet's own row, which every
-- movement reads and locks anyway, so that a wallet without one costs nothing: no threshold is no rule, no
-- monthly limit is none.
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
    top_up_threshold numeric(24, 6),
    top_up_amount numeric(24, 6),
    top_up_monthly_limit numeric(24, 6),
    CONSTRAINT wallets_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT wallets_currency_fixed UNIQUE (org_id, is_test, id, currency),
    CONSTRAINT wallets_one_per_customer_and_currency
        UNIQUE (org_id, is_test, customer_id, currency),
    CONSTRAINT wallets_status_known CHECK (status IN ('active', 'suspended', 'closed')),
    CONSTRAINT wallets_closed_has_its_time CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT wallets_top_up_rule_is_whole CHECK (
        (top_up_threshold IS NULL) = (top_up_amount IS NULL)
        AND (top_up_monthly_limit IS NULL OR top_up_amount IS NOT NULL)
    ),
    CONSTRAINT wallets_top_up_threshold_not_negative
        CHECK (top_up_threshold >= 0 AND top_up_threshold <> 'NaN'),
    CONSTRAINT wallets_top_up_amount_positive CHECK (top_up_amount > 0 AND top_up_amount <> 'NaN'),
    CONSTRAINT wallets_top_up_limit_covers_amount
        CHECK (top_up_monthly_limit >= top_up_amount AND top_up_monthly_limit <> 'NaN')
);
SELECT restrict_to_tenant('wallets');
GRANT SELECT, INSERT ON wallets TO monigo_app;
GRANT UPDATE (
    status, updated_at, closed_at, top_up_threshold, top_up_amount, top_up_monthly_limit
) ON wallets TO monigo_app;
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
SELECT restrict_to_tenant('wallet_reservations');
GRANT SELECT, INSERT, UPDATE (status, captured_amount, updated_at, settled_at) ON wallet_reservations TO monigo_app;
ALTER TABLE wallet_reservations ADD CONSTRAINT wallet_reservations_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE INDEX wallet_reservations_of_wallet
    ON wallet_reservations (org_id, is_test, wallet_id, created_at DESC, id DESC);
CREATE INDEX wallet_reservations_open
    ON wallet_reservations (org_id, is_test, expires_at) WHERE status = 'open';

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
    revoked_at timestamptz,
    CONSTRAINT credit_grants_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT credit_grants_account_unique UNIQUE (org_id, is_test, account_id),
    CONSTRAINT credit_grants_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT credit_grants_expires_later CHECK (expires_at > created_at),
    CONSTRAINT credit_grants_expired_in_time CHECK (expired_at >= expires_at),
    CONSTRAINT credit_grants_revoked_later CHECK (revoked_at >= created_at)
);
SELECT restrict_to_tenant('credit_grants');
GRANT SELECT, INSERT, UPDATE (updated_at, expired_at, revoked_at) ON credit_grants TO monigo_app;
ALTER TABLE credit_grants ADD CONSTRAINT credit_grants_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE credit_grants ADD CONSTRAINT credit_grants_account_fkey
    FOREIGN KEY (org_id, is_test, account_id, currency)
    REFERENCES ledger_accounts (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE INDEX credit_grants_of_wallet
    ON credit_grants (org_id, is_test, wallet_id, created_at DESC, id DESC);

-- A request for money. Deposits since then pay it; what they bring beyond its amount is not counted.
CREATE TABLE wallet_top_ups (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    deposited_amount numeric(24, 6) NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT wallet_top_ups_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT wallet_top_ups_status_known CHECK (status IN ('open', 'paid', 'canceled')),
    CONSTRAINT wallet_top_ups_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT wallet_top_ups_deposited_within_amount
        CHECK (deposited_amount >= 0 AND deposited_amount <= amount),
    CONSTRAINT wallet_top_ups_paid_is_deposited
        CHECK ((status = 'paid') = (deposited_amount = amount)),
    CONSTRAINT wallet_top_ups_settled_has_its_time
        CHECK ((status = 'open') = (settled_at IS NULL))
);
SELECT restrict_to_tenant('wallet_top_ups');
GRANT SELECT, INSERT, UPDATE (status, deposited_amount, updated_at, settled_at) ON wallet_top_ups TO monigo_app;
ALTER TABLE wallet_top_ups ADD CONSTRAINT wallet_top_ups_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE UNIQUE INDEX wallet_top_ups_one_open
    ON wallet_top_ups (org_id, is_test, wallet_id) WHERE status = 'open';
CREATE INDEX wallet_top_ups_of_wallet
    ON wallet_top_ups (org_id, is_test, wallet_id, created_at DESC, id DESC);
