-- Providers' lists of transfers are compared, too. All differences so far are of charges.
-- They are few: one row for each difference that was found.
-- squawk-ignore-file constraint-missing-not-valid

ALTER TABLE reconciliation_rows ADD COLUMN listed_as text DEFAULT 'charge' NOT NULL;
ALTER TABLE reconciliation_rows ADD CONSTRAINT reconciliation_rows_listed_as_known
    CHECK (listed_as IN ('charge', 'transfer')) NOT VALID;
ALTER TABLE reconciliation_rows VALIDATE CONSTRAINT reconciliation_rows_listed_as_known;
