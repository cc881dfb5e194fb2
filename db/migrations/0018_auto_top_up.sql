-- Auto top-up: a wallet's rule asks for money when little is left; what was asked for is kept.

-- The rule stands in the wallet's own row, which every movement reads and locks anyway, so that a
-- wallet without one costs nothing. No threshold is no rule; no monthly limit is none.
ALTER TABLE wallets
    ADD COLUMN top_up_threshold numeric(24, 6),
    ADD COLUMN top_up_amount numeric(24, 6),
    ADD COLUMN top_up_monthly_limit numeric(24, 6),
    ADD CONSTRAINT wallets_top_up_rule_is_whole CHECK (
        (top_up_threshold IS NULL) = (top_up_amount IS NULL)
        AND (top_up_monthly_limit IS NULL OR top_up_amount IS NOT NULL)
    ),
    ADD CONSTRAINT wallets_top_up_threshold_not_negative
        CHECK (top_up_threshold >= 0 AND top_up_threshold <> 'NaN'),
    ADD CONSTRAINT wallets_top_up_amount_positive
        CHECK (top_up_amount > 0 AND top_up_amount <> 'NaN'),
    ADD CONSTRAINT wallets_top_up_limit_covers_amount
        CHECK (top_up_monthly_limit >= top_up_amount AND top_up_monthly_limit <> 'NaN');
GRANT UPDATE (top_up_threshold, top_up_amount, top_up_monthly_limit) ON wallets TO monigo_app;

CREATE OR REPLACE VIEW wallet_states WITH (security_invoker = true) AS
SELECT wallet.org_id, wallet.is_test, wallet.id, wallet.customer_id, wallet.currency, wallet.status,
    wallet.money_account_id, wallet.reserved_account_id, wallet.provider_account_id,
    wallet.revenue_account_id, wallet.created_at,
    greatest(wallet.updated_at, money.moved_at, reserved.moved_at) AS updated_at,
    money.balance, reserved.balance AS reserved_balance, money.sequence AS entries,
    wallet.top_up_threshold
FROM wallets AS wallet
JOIN ledger_accounts AS money
    ON money.org_id = wallet.org_id AND money.is_test = wallet.is_test
    AND money.id = wallet.money_account_id
JOIN ledger_accounts AS reserved
    ON reserved.org_id = wallet.org_id AND reserved.is_test = wallet.is_test
    AND reserved.id = wallet.reserved_account_id;

-- As before, with the view's new column.
CREATE OR REPLACE FUNCTION lock_wallets(organization uuid, test boolean, wallet_ids uuid[])
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
        state.reserved_balance, state.entries, state.top_up_threshold
    FROM wallet_states AS state
    WHERE state.org_id = organization AND state.is_test = test AND state.id = ANY (wallet_ids);
END
$$;

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
SELECT make_tenant_table('wallet_top_ups',
    'SELECT, INSERT, UPDATE (status, deposited_amount, updated_at, settled_at)'
);
ALTER TABLE wallet_top_ups ADD CONSTRAINT wallet_top_ups_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id, currency)
    REFERENCES wallets (org_id, is_test, id, currency) ON DELETE RESTRICT;
CREATE UNIQUE INDEX wallet_top_ups_one_open
    ON wallet_top_ups (org_id, is_test, wallet_id) WHERE status = 'open';
CREATE INDEX wallet_top_ups_of_wallet
    ON wallet_top_ups (org_id, is_test, wallet_id, created_at DESC, id DESC);

-- What a request came to stays so.
CREATE FUNCTION keep_settled_top_up() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF old.status <> 'open' THEN
        RAISE EXCEPTION 'a settled top-up does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_top_ups_settled_once';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER keep_settled_top_up BEFORE UPDATE ON wallet_top_ups
    FOR EACH ROW EXECUTE FUNCTION keep_settled_top_up();

ALTER TABLE outbox_events
    DROP CONSTRAINT outbox_events_type_known,
    ADD CONSTRAINT outbox_events_type_known CHECK (
        type IN (
            'customer.wallet.top_up_requested',
            'invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.voided',
            'subscription.created', 'subscription.paused', 'subscription.resumed',
            'subscription.canceled', 'subscription.prepaid_balance_insufficient',
            'subscription.realtime_balance_exhausted'
        )
    );
