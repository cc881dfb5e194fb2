-- An invoice's lines are written before it, because none joins a final one.

ALTER TABLE invoice_line_items ALTER CONSTRAINT invoice_line_items_invoice_fkey
    DEFERRABLE INITIALLY DEFERRED;
