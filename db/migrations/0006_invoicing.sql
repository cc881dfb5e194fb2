-- Invoices and their lines. Drafts change freely; a final one's amounts never do.

CREATE TABLE invoices (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    plan_type text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    number bigint,
    currency text NOT NULL,
    subtotal numeric(24, 6) NOT NULL,
    vat_enabled boolean NOT NULL,
    vat_rate numeric(7, 4) NOT NULL,
    vat_amount numeric(24, 6) NOT NULL,
    wht_rate numeric(7, 4) NOT NULL,
    wht_amount numeric(24, 6) NOT NULL,
    total numeric(24, 6) NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finalized_at timestamptz,
    paid_at timestamptz,
    voided_at timestamptz,
    voided_after bigint,
    due_date timestamptz,
    paid_reference text NOT NULL,
    terms jsonb NOT NULL,
    remeasured jsonb NOT NULL DEFAULT '{}',
    has_credit boolean NOT NULL,
    billing_mode text NOT NULL,
    CONSTRAINT invoices_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT invoices_kind_known CHECK (kind IN ('interim', 'closing', 'supplementary')),
    CONSTRAINT invoices_status_known CHECK (
        status IN ('draft', 'finalized', 'paid', 'payment_failed', 'uncollectible', 'void')
    ),
    CONSTRAINT invoices_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT invoices_total_adds_up CHECK (total = subtotal + vat_amount - wht_amount),
    CONSTRAINT invoices_billing_mode_known
        CHECK (billing_mode IN ('postpaid', 'prepaid', 'realtime')),
    CONSTRAINT invoices_plan_type_known CHECK (plan_type IN ('collection', 'payout')),
    CONSTRAINT invoices_tax_fits_plan_type CHECK (
        CASE plan_type WHEN 'collection' THEN wht_amount = 0 ELSE vat_amount = 0 END
    ),
    CONSTRAINT invoices_no_vat_when_disabled CHECK (vat_enabled OR vat_amount = 0),
    CONSTRAINT invoices_period_half_open CHECK (period_start < period_end),
    CONSTRAINT invoices_final_is_numbered CHECK (
        CASE status
            WHEN 'draft' THEN finalized_at IS NULL AND number IS NULL
            WHEN 'void' THEN (finalized_at IS NULL) = (number IS NULL)
            ELSE finalized_at IS NOT NULL AND number IS NOT NULL
        END
    ),
    CONSTRAINT invoices_paid_has_its_time CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CONSTRAINT invoices_void_has_its_time CHECK ((status = 'void') = (voided_at IS NOT NULL)),
    CONSTRAINT invoices_void_has_its_place
        CHECK ((status = 'void') = (voided_after IS NOT NULL)),
    CONSTRAINT invoices_number_positive CHECK (number > 0)
);
COMMENT ON TABLE invoices IS 'invoices of collection plans, and bills of payout plans';
COMMENT ON COLUMN invoices.voided_after
    IS 'the last number that had been given when it was voided: later invoices did not count it';
COMMENT ON COLUMN invoices.terms IS 'what the period was priced by, frozen with the amounts';
COMMENT ON COLUMN invoices.remeasured
    IS 'when replays had the closed period counted anew, by the name of the events; "" for all';
COMMENT ON COLUMN invoices.has_credit IS 'whether a line carries or brings a credit';
SELECT make_tenant_table('invoices', 'SELECT, INSERT, UPDATE, DELETE');
ALTER TABLE invoices ADD CONSTRAINT invoices_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE invoices ADD CONSTRAINT invoices_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX invoices_number_unique ON invoices (org_id, is_test, plan_type, number);
CREATE UNIQUE INDEX invoices_one_draft_per_period
    ON invoices (org_id, is_test, subscription_id, period_start)
    WHERE status = 'draft' AND kind <> 'supplementary';
CREATE UNIQUE INDEX invoices_one_closing_per_period
    ON invoices (org_id, is_test, subscription_id, period_start)
    WHERE kind = 'closing' AND status <> 'void';
CREATE INDEX invoices_of_customer ON invoices (org_id, is_test, customer_id);
CREATE INDEX invoices_with_credit
    ON invoices (org_id, is_test, customer_id) WHERE has_credit;
CREATE INDEX invoices_waiting_for_wallets
    ON invoices (org_id, is_test, customer_id)
    WHERE status = 'finalized' AND billing_mode <> 'postpaid';
CREATE INDEX invoices_newest_first ON invoices (org_id, is_test, created_at DESC, id DESC);

-- `price_id, period_start` is the key that the delta rule sums amounts over (no price: the plan's
-- fee), and `group_value` tells the lines of one price apart where its metric groups. A line's period
-- is another than its invoice's where it adjusts a closed one or bills a fee in advance. A `credit` line carries
-- a negative subtotal forward (amount above zero) or brings it into a later invoice (below zero).
CREATE TABLE invoice_line_items (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    position integer NOT NULL,
    kind text NOT NULL,
    price_id uuid,
    metric_id uuid,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    description text NOT NULL,
    quantity numeric(38, 12) NOT NULL,
    unit_price numeric(30, 12) NOT NULL,
    amount numeric(24, 6) NOT NULL,
    cumulative_quantity numeric(38, 12) NOT NULL,
    cumulative_amount numeric(24, 6) NOT NULL,
    price_revision integer,
    created_at timestamptz NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    first_event_at timestamptz,
    last_event_at timestamptz,
    whole_quantity numeric(38, 12) NOT NULL,
    CONSTRAINT invoice_line_items_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT invoice_line_items_kind_known CHECK (kind IN ('usage', 'fee', 'credit')),
    CONSTRAINT invoice_line_items_usage_has_price
        CHECK ((kind = 'usage') = (price_id IS NOT NULL AND metric_id IS NOT NULL)),
    CONSTRAINT invoice_line_items_position_unique UNIQUE (org_id, is_test, invoice_id, position)
);
SELECT make_tenant_table('invoice_line_items', 'SELECT, INSERT, DELETE');
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_invoice_fkey
    FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE CASCADE;
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_price_fkey
    FOREIGN KEY (org_id, is_test, price_id) REFERENCES prices (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX invoice_line_items_by_price_and_period
    ON invoice_line_items (org_id, is_test, subscription_id, period_start, price_id);

-- What a final invoice says stays said, and its status only moves along the allowed arrows.
CREATE FUNCTION keep_final_invoice() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF old.status <> 'draft' AND NOT is_reset(TG_RELID, old.is_test) THEN
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
CREATE TRIGGER keep_final_invoice BEFORE UPDATE OR DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION keep_final_invoice();

-- Once for a whole statement, because the period close writes many lines in one; planned each time,
-- because a plan made while there were few invoices would read them all ever after. A cascade from a
-- deleted draft finds no invoice any more, and may go on.
CREATE FUNCTION keep_final_lines() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    is_final boolean;
BEGIN
    EXECUTE $query$
        SELECT EXISTS (
            SELECT 1 FROM touched AS line
            JOIN invoices AS invoice ON invoice.org_id = line.org_id
                AND invoice.is_test = line.is_test AND invoice.id = line.invoice_id
            WHERE invoice.status <> 'draft' AND NOT ($1 AND is_reset($2, line.is_test))
        )
    $query$ INTO is_final USING TG_OP = 'DELETE', TG_RELID;
    IF is_final THEN
        RAISE EXCEPTION 'the lines of a final invoice do not change'
            USING ERRCODE = '23514', CONSTRAINT = 'invoice_line_items_final_immutable';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_final_lines_from_more AFTER INSERT ON invoice_line_items
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
CREATE TRIGGER keep_final_lines_from_change AFTER UPDATE ON invoice_line_items
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
CREATE TRIGGER keep_final_lines_from_loss AFTER DELETE ON invoice_line_items
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
