-- Prepaid and realtime billing: who was credited, and what realtime subscriptions have paid so far.

-- Wallets that got money or credits, for whoever waits for it: found before the tenant is known, so
-- it holds ids only; it commits with the credit.
CREATE TABLE credited_wallets (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    wallet_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    CONSTRAINT credited_wallets_pkey PRIMARY KEY (org_id, is_test, wallet_id)
);
-- The right to update is the right to lock.
GRANT SELECT, INSERT, UPDATE, DELETE ON credited_wallets TO monigo_app;

-- Customers on a realtime plan. The fold notes when their usage changed, a charge when it was read.
CREATE TABLE watched_customers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    charged_at timestamptz NOT NULL,
    CONSTRAINT watched_customers_pkey PRIMARY KEY (org_id, is_test, customer_id)
);
CREATE INDEX watched_customers_changed
    ON watched_customers (org_id, is_test, customer_id) WHERE changed_at > charged_at;
GRANT SELECT, INSERT, UPDATE, DELETE ON watched_customers TO monigo_app;

-- What was taken from a wallet for a realtime subscription's period before an invoice says so.
CREATE TABLE realtime_charges (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    period_start timestamptz NOT NULL,
    charged numeric(24, 6) NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT realtime_charges_pkey PRIMARY KEY (org_id, is_test, subscription_id, period_start),
    CONSTRAINT realtime_charges_not_negative CHECK (charged >= 0)
);
SELECT make_tenant_table('realtime_charges', 'SELECT, INSERT, UPDATE');
ALTER TABLE realtime_charges ADD CONSTRAINT realtime_charges_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;

-- What wallets paid for an invoice or a realtime period; of billing's own transfers only, which have
-- no idempotency key, so that other movements cost nothing more.
CREATE INDEX ledger_transfers_of_payments ON ledger_transfers (org_id, is_test, reference_id)
    WHERE idempotency_key = '' AND reference_type IN ('invoice', 'subscription_period');
