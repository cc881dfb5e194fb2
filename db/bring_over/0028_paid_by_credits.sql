-- What wallets paid is kept by its sources, so that what is paid back goes where it came from:
-- what a grant paid to the grant, money to the money. Credits pay postpaid invoices, too.

-- Parts are arrays of a grant's id (null: the wallet's money), a metric's id (null: what is not
-- metered) and an amount as text, in the order in which sources were last used.
ALTER TABLE realtime_charges ADD COLUMN parts jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN realtime_charges.parts
    IS 'what is charged, by its source and metric, those last used at the end';

ALTER TABLE invoices ADD COLUMN wallet_paid numeric(24, 6) NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD COLUMN wallet_parts jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN invoices.wallet_paid IS 'what a wallet and its credits paid of it';
COMMENT ON COLUMN invoices.wallet_parts
    IS 'the same by its source and metric, those last used at the end';
ALTER TABLE invoices ADD CONSTRAINT invoices_wallet_paid_within_total
    CHECK (wallet_paid >= 0 AND wallet_paid <= greatest(total, 0));
ALTER TABLE invoices ADD CONSTRAINT invoices_only_what_is_owed_is_paid
    CHECK (wallet_paid = 0 OR status NOT IN ('draft', 'void'));
ALTER TABLE invoices ADD CONSTRAINT invoices_wallets_pay_no_bills
    CHECK (wallet_paid = 0 OR plan_type = 'collection');

-- A grant is looked at when it may be swept: at its expiry, and later while a period that it may
-- pay is open, or while what came back to it may pay such a period again.
ALTER TABLE credit_grants ADD COLUMN revoked_at timestamptz;
ALTER TABLE credit_grants ADD COLUMN sweep_at timestamptz;
UPDATE credit_grants SET sweep_at = expires_at WHERE expires_at IS NOT NULL;
ALTER TABLE credit_grants ADD CONSTRAINT credit_grants_swept_after_expiry
    CHECK ((sweep_at IS NULL) = (expires_at IS NULL) AND coalesce(sweep_at >= expires_at, true));
ALTER TABLE credit_grants ADD CONSTRAINT credit_grants_revoked_later
    CHECK (revoked_at >= created_at);
GRANT UPDATE (revoked_at, sweep_at) ON credit_grants TO monigo_app;
DROP INDEX credit_grants_not_expired;
CREATE INDEX credit_grants_to_sweep ON credit_grants (org_id, is_test, sweep_at)
    WHERE expired_at IS NULL AND revoked_at IS NULL;

ALTER DOMAIN ledger_entry_type DROP CONSTRAINT ledger_transfers_entry_type_known;
ALTER DOMAIN ledger_entry_type ADD CONSTRAINT ledger_transfers_entry_type_known CHECK (
    VALUE IN (
        'deposit', 'withdrawal', 'usage', 'refund', 'adjustment', 'reservation', 'release',
        'credit_grant', 'credit_expiry', 'credit_revocation'
    )
);
