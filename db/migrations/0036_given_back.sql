-- What refunds send back beyond what came, and what of refunds and lost disputes came out of what an invoice had taken.

-- Each rule takes the place of one that allowed less, or is true of all rows by the defaults above it. Databases that have
-- rows are migrated while nothing runs.
-- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid

ALTER TABLE payments ADD COLUMN beyond numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE payments ADD CONSTRAINT payments_beyond_all_that_came CHECK (
    beyond >= 0 AND beyond <> 'NaN' AND (beyond = 0 OR refunded + reversed = amount)
);
ALTER TABLE payments DROP CONSTRAINT payments_uncovered_went_back;
ALTER TABLE payments ADD CONSTRAINT payments_uncovered_went_back CHECK (
    uncovered >= 0 AND uncovered <> 'NaN' AND uncovered <= reversed + refunded + beyond
);
COMMENT ON COLUMN payments.beyond IS 'what refunds sent back after all of it had gone: nobody is entitled to it';
GRANT UPDATE (beyond) ON payments TO monigo_app;

ALTER TABLE refunds ADD COLUMN of_invoice numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE refunds ADD CONSTRAINT refunds_of_invoice_is_a_part CHECK (
    of_invoice >= 0 AND of_invoice <= amount AND (of_invoice = 0 OR state = 'succeeded')
);
COMMENT ON COLUMN refunds.of_invoice IS 'what of it came out of what the invoice had taken';
GRANT UPDATE (of_invoice) ON refunds TO monigo_app;
ALTER TABLE disputes ADD COLUMN of_invoice numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE disputes ADD CONSTRAINT disputes_of_invoice_is_a_part
    CHECK (of_invoice >= 0 AND of_invoice <= lost_amount);
COMMENT ON COLUMN disputes.of_invoice IS 'what of the lost amount came out of what the invoice had taken';
GRANT UPDATE (of_invoice) ON disputes TO monigo_app;

-- What is in the books already.
UPDATE refunds SET of_invoice = least(refunds.amount, payments.to_invoice)
FROM payments
WHERE payments.org_id = refunds.org_id AND payments.is_test = refunds.is_test
    AND payments.id = refunds.payment_id AND refunds.state = 'succeeded';
UPDATE refunds SET of_invoice = amount WHERE payment_id IS NULL AND state = 'succeeded';
UPDATE disputes SET of_invoice = least(disputes.lost_amount, payments.to_invoice)
FROM payments
WHERE payments.org_id = disputes.org_id AND payments.is_test = disputes.is_test
    AND payments.id = disputes.payment_id;
