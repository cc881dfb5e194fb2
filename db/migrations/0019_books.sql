-- The books: what customers owe and are owed, taxes, fees and losses, on accounts of each customer.

-- Each rule takes the place of one that allowed less, or is true of all rows by what stands above it. Databases that
-- have rows are migrated while nothing runs.
-- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, ban-alter-domain-with-add-constraint
-- squawk-ignore-file adding-foreign-key-constraint, require-concurrent-index-creation

ALTER DOMAIN ledger_account_kind DROP CONSTRAINT ledger_accounts_kind_known;
ALTER DOMAIN ledger_account_kind ADD CONSTRAINT ledger_accounts_kind_known CHECK (
    VALUE IN (
        'customer_wallet', 'reserved', 'credit_grant', 'provider', 'revenue', 'receivable', 'external',
        'provider_fees', 'bad_debt', 'dispute_losses', 'payout_expense', 'tax_payable', 'payable',
        'payouts_in_flight', 'withholding_payable'
    )
);

ALTER DOMAIN ledger_entry_type DROP CONSTRAINT ledger_transfers_entry_type_known;
ALTER DOMAIN ledger_entry_type ADD CONSTRAINT ledger_transfers_entry_type_known CHECK (
    VALUE IN (
        'deposit', 'withdrawal', 'usage', 'refund', 'adjustment', 'reservation', 'release',
        'credit_grant', 'credit_expiry', 'credit_revocation', 'invoice', 'bill', 'void', 'reopening',
        'write_off', 'recovery', 'payment', 'provider_fee', 'charge_refund', 'loss', 'payout',
        'payout_return'
    )
);

-- What is owed to others is never below zero, so that no more of it goes than there is; what others owe,
-- and what is spent or lost, never above. `post_ledger_transfers` looks at the same before it writes.
ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_balance_not_negative;
ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_balance_not_negative CHECK (
    balance >= 0 OR kind IN (
        'provider', 'revenue', 'receivable', 'external', 'provider_fees', 'bad_debt', 'dispute_losses',
        'payout_expense'
    )
);
ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_balance_not_positive CHECK (
    balance <= 0 OR kind NOT IN (
        'receivable', 'external', 'provider_fees', 'bad_debt', 'dispute_losses', 'payout_expense'
    )
);

-- A customer's account in the books: one of each kind and currency. A wallet's accounts are named by the wallet.
ALTER TABLE ledger_accounts ADD COLUMN customer_id uuid;
COMMENT ON COLUMN ledger_accounts.customer_id
    IS 'whose account of its kind and currency it is in the books; NULL for the accounts of wallets';
ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX ledger_accounts_one_of_customer
    ON ledger_accounts (org_id, is_test, customer_id, currency, kind) WHERE customer_id IS NOT NULL;
GRANT INSERT (customer_id) ON ledger_accounts TO monigo_app;

-- Transfers come nearly in the order of their times, so that a small index finds the later ones.
CREATE INDEX ledger_transfers_by_time ON ledger_transfers USING brin (created_at);

-- Whether an invoice or bill is in the books. Those that were final before there were books come in when
-- something is done with them.
ALTER TABLE invoices ADD COLUMN is_booked boolean NOT NULL DEFAULT false;
ALTER TABLE invoices ADD CONSTRAINT invoices_booked_is_final
    CHECK (NOT is_booked OR finalized_at IS NOT NULL);
COMMENT ON COLUMN invoices.is_booked
    IS 'whether it is in the books: not as a draft, nor where it was final before there were books';

-- Who owes what since when, without a look at what is paid.
CREATE INDEX invoices_receivable ON invoices (org_id, is_test, customer_id)
    INCLUDE (currency, total, amount_paid, due_date, finalized_at)
    WHERE plan_type = 'collection' AND status IN ('finalized', 'payment_failed');
