-- What was received of an invoice, by whatever way, is one amount. It is paid when nothing is due of it
-- any more, and no sooner; less than that leaves it as it was, with the rest due.

-- Each rule takes the place of one that was there, and is true of all rows by what stands above it.
-- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid

ALTER TABLE invoices ADD COLUMN amount_paid numeric(24, 6) NOT NULL DEFAULT 0;
COMMENT ON COLUMN invoices.amount_paid
    IS 'what was received of the total, by a wallet, by credits or elsewhere';
UPDATE invoices SET amount_paid = CASE WHEN status = 'paid' THEN total ELSE wallet_paid END;

ALTER TABLE invoices DROP CONSTRAINT invoices_paid_has_its_time;
ALTER TABLE invoices DROP CONSTRAINT invoices_only_what_is_owed_is_paid;
ALTER TABLE invoices ADD CONSTRAINT invoices_paid_is_nothing_due CHECK (
    CASE
        WHEN status = 'paid' THEN amount_paid = total AND paid_at IS NOT NULL
        WHEN status IN ('draft', 'void') THEN amount_paid = 0 AND paid_at IS NULL
        ELSE amount_paid >= 0 AND amount_paid < total AND paid_at IS NULL
    END
);
ALTER TABLE invoices DROP CONSTRAINT invoices_wallet_paid_within_total;
ALTER TABLE invoices ADD CONSTRAINT invoices_wallet_paid_is_part_of_it
    CHECK (wallet_paid >= 0 AND wallet_paid <= amount_paid);
COMMENT ON COLUMN invoices.wallet_paid IS 'the part of it that a wallet and its credits paid';
