-- What is final stays as it is.

-- A final invoice never changes but its status, which moves along the allowed transitions only. A bill that was
-- paid is open again when its transfer comes back.
CREATE OR REPLACE FUNCTION keep_final_invoice() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF old.status <> 'draft' AND NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'only a draft can be deleted'
                USING ERRCODE = '23514', CONSTRAINT = 'invoices_final_immutable';
        END IF;
        RETURN old;
    END IF;
    IF old.status <> new.status AND NOT (
        (old.status = 'draft' AND new.status IN ('finalized', 'paid', 'void'))
        OR (old.status = 'finalized' AND new.status IN ('paid', 'payment_failed', 'void'))
        OR (old.status = 'payment_failed'
            AND new.status IN ('finalized', 'paid', 'uncollectible', 'void'))
        OR (old.status = 'uncollectible' AND new.status IN ('paid', 'void'))
        OR (old.status = 'paid' AND new.status = 'payment_failed' AND old.plan_type = 'payout')
    ) THEN
        RAISE EXCEPTION 'an invoice cannot go from % to %', old.status, new.status
            USING ERRCODE = '23514', CONSTRAINT = 'invoices_status_moves_forward';
    END IF;
    IF old.status <> 'draft' AND (
        (old.customer_id, old.subscription_id, old.plan_type, old.kind, old.number, old.currency,
            old.subtotal, old.vat_enabled, old.vat_rate, old.vat_amount, old.wht_rate,
            old.wht_amount, old.total, old.period_start, old.period_end, old.finalized_at,
            old.terms, old.has_credit, old.billing_mode)
        IS DISTINCT FROM
        (new.customer_id, new.subscription_id, new.plan_type, new.kind, new.number, new.currency,
            new.subtotal, new.vat_enabled, new.vat_rate, new.vat_amount, new.wht_rate,
            new.wht_amount, new.total, new.period_start, new.period_end, new.finalized_at,
            new.terms, new.has_credit, new.billing_mode)
    ) THEN
        RAISE EXCEPTION 'a final invoice does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'invoices_final_immutable';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_final_invoice BEFORE UPDATE OR DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION keep_final_invoice();

-- Once for a whole statement, because the period close writes many lines in one. A cascade from a deleted
-- draft finds no invoice any more, and may go on.
CREATE OR REPLACE FUNCTION keep_final_lines() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT line.org_id, line.is_test, array_agg(DISTINCT line.invoice_id) AS invoice_ids
        FROM touched AS line
        GROUP BY line.org_id, line.is_test
    LOOP
        CONTINUE WHEN TG_OP = 'DELETE' AND public.is_reset(TG_RELID, changed.is_test);
        IF EXISTS (
            SELECT 1 FROM public.invoices AS invoice
            WHERE invoice.org_id = changed.org_id AND invoice.is_test = changed.is_test
                AND invoice.id = ANY (changed.invoice_ids) AND invoice.status <> 'draft'
        ) THEN
            RAISE EXCEPTION 'the lines of a final invoice do not change'
                USING ERRCODE = '23514', CONSTRAINT = 'invoice_line_items_final_immutable';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER keep_final_lines_from_more AFTER INSERT ON invoice_line_items
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
CREATE OR REPLACE TRIGGER keep_final_lines_from_change AFTER UPDATE ON invoice_line_items
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
-- A line that moved into a final invoice would change that one, too.
CREATE OR REPLACE TRIGGER keep_final_lines_from_arrival AFTER UPDATE ON invoice_line_items
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
CREATE OR REPLACE TRIGGER keep_final_lines_from_loss AFTER DELETE ON invoice_line_items
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();

-- Beside `keep_final_invoice`, for what later invoices carry stands still as the amounts do.
CREATE OR REPLACE FUNCTION keep_final_rounding() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a final invoice does not change'
        USING ERRCODE = '23514', CONSTRAINT = 'invoices_final_immutable';
END
$$;
CREATE OR REPLACE TRIGGER keep_final_rounding BEFORE UPDATE ON invoices
    FOR EACH ROW
    WHEN (old.status <> 'draft' AND old.rounded_off IS DISTINCT FROM new.rounded_off)
    EXECUTE FUNCTION keep_final_rounding();
