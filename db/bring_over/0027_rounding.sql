-- Rounding is carried: what an invoice's subtotal takes off its lines, or adds, comes to the
-- subscription's next invoice by a line of its own, so that it is settled and not lost.

ALTER TABLE invoices ADD COLUMN rounded_off numeric(24, 6);
COMMENT ON COLUMN invoices.rounded_off IS
    'its lines but `rounding`, less its subtotal; NULL where it was made before rounding was carried';
-- Most invoices round nothing, and have no entry.
CREATE INDEX invoices_with_rounding
    ON invoices (org_id, is_test, subscription_id) WHERE rounded_off <> 0;

ALTER TABLE invoice_line_items DROP CONSTRAINT invoice_line_items_kind_known;
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_kind_is_one_of_four
    CHECK (kind IN ('usage', 'fee', 'credit', 'rounding'));
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_rounding_has_no_price
    CHECK (kind <> 'rounding' OR (price_id IS NULL AND metric_id IS NULL));
CREATE UNIQUE INDEX invoice_line_items_one_rounding
    ON invoice_line_items (org_id, is_test, invoice_id) WHERE kind = 'rounding';
