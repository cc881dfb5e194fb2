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
    rounded_off numeric(24, 6),
    wallet_paid numeric(24, 6) NOT NULL DEFAULT 0,
    wallet_parts jsonb NOT NULL DEFAULT '[]',
    amount_paid numeric(24, 6) NOT NULL DEFAULT 0,
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
    CONSTRAINT invoices_paid_is_nothing_due CHECK (
        CASE
            WHEN status = 'paid' THEN amount_paid = total AND paid_at IS NOT NULL
            WHEN status IN ('draft', 'void') THEN amount_paid = 0 AND paid_at IS NULL
            ELSE amount_paid >= 0 AND amount_paid < total AND paid_at IS NULL
        END
    ),
    CONSTRAINT invoices_void_has_its_time CHECK ((status = 'void') = (voided_at IS NOT NULL)),
    CONSTRAINT invoices_void_has_its_place
        CHECK ((status = 'void') = (voided_after IS NOT NULL)),
    CONSTRAINT invoices_number_positive CHECK (number > 0),
    CONSTRAINT invoices_wallet_paid_is_part_of_it
        CHECK (wallet_paid >= 0 AND wallet_paid <= amount_paid),
    CONSTRAINT invoices_wallets_pay_no_bills CHECK (wallet_paid = 0 OR plan_type = 'collection')
);
COMMENT ON TABLE invoices IS 'invoices of collection plans, and bills of payout plans';
COMMENT ON COLUMN invoices.voided_after
    IS 'the last number that had been given when it was voided: later invoices did not count it';
COMMENT ON COLUMN invoices.terms IS 'what the period was priced by, frozen with the amounts';
COMMENT ON COLUMN invoices.remeasured
    IS 'when replays had the closed period counted anew, by the name of the events; "" for all';
COMMENT ON COLUMN invoices.has_credit IS 'whether a line carries or brings a credit';
COMMENT ON COLUMN invoices.rounded_off
    IS 'its lines but `rounding`, less its subtotal; NULL where it was made before rounding was carried';
COMMENT ON COLUMN invoices.amount_paid
    IS 'what was received of the total, by a wallet, by credits or elsewhere';
COMMENT ON COLUMN invoices.wallet_paid IS 'the part of it that a wallet and its credits paid';
COMMENT ON COLUMN invoices.wallet_parts
    IS 'the same by its source and metric, those last used at the end';
SELECT restrict_to_tenant('invoices');
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO monigo_app;
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
-- Most invoices round nothing, and have no entry.
CREATE INDEX invoices_with_rounding
    ON invoices (org_id, is_test, subscription_id) WHERE rounded_off <> 0;
-- What was billed and what was paid in some days, without a look at the invoices themselves.
CREATE INDEX invoices_by_finalizing ON invoices (org_id, is_test, finalized_at)
    INCLUDE (plan_type, status, currency, total, amount_paid) WHERE finalized_at IS NOT NULL;
CREATE INDEX invoices_by_payment ON invoices (org_id, is_test, paid_at)
    INCLUDE (plan_type, currency, total) WHERE paid_at IS NOT NULL;
CREATE INDEX invoices_owed_to_payees ON invoices (org_id, is_test)
    INCLUDE (currency, total, amount_paid)
    WHERE plan_type = 'payout' AND status IN ('finalized', 'payment_failed');

-- `price_id, period_start` is the key that the delta rule sums amounts over (no price: the plan's fee), and
-- `group_value` distinguishes the lines of one price where its metric groups. A line's period is another than
-- its invoice's where it adjusts a closed one or bills a fee in advance. A `credit` line carries a negative
-- subtotal forward (amount above zero) or brings it into a later invoice (below zero); the `rounding` line
-- brings what an invoice before took off its lines, or added.
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
    uncounted_events bigint NOT NULL DEFAULT 0,
    CONSTRAINT invoice_line_items_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT invoice_line_items_kind_is_one_of_four
        CHECK (kind IN ('usage', 'fee', 'credit', 'rounding')),
    CONSTRAINT invoice_line_items_rounding_has_no_price
        CHECK (kind <> 'rounding' OR (price_id IS NULL AND metric_id IS NULL)),
    CONSTRAINT invoice_line_items_usage_has_price
        CHECK ((kind = 'usage') = (price_id IS NOT NULL AND metric_id IS NOT NULL)),
    CONSTRAINT invoice_line_items_uncounted_are_of_events
        CHECK (uncounted_events BETWEEN 0 AND event_count),
    CONSTRAINT invoice_line_items_position_unique UNIQUE (org_id, is_test, invoice_id, position)
);
SELECT restrict_to_tenant('invoice_line_items');
GRANT SELECT, INSERT, UPDATE, DELETE ON invoice_line_items TO monigo_app;
-- Looked at as a transaction commits: no line joins a final invoice, so that lines come first.
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_invoice_fkey
    FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_price_fkey
    FOREIGN KEY (org_id, is_test, price_id) REFERENCES prices (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX invoice_line_items_by_price_and_period
    ON invoice_line_items (org_id, is_test, subscription_id, period_start, price_id);
CREATE UNIQUE INDEX invoice_line_items_one_rounding
    ON invoice_line_items (org_id, is_test, invoice_id) WHERE kind = 'rounding';

-- What a wallet paid for a realtime subscription's period before the invoice. Its parts, as an invoice's, are
-- arrays of a grant's id (null: the wallet's money), a metric's id (null: what is not metered) and an amount as
-- text, in the order in which sources were last used.
CREATE TABLE realtime_charges (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    period_start timestamptz NOT NULL,
    charged numeric(24, 6) NOT NULL,
    updated_at timestamptz NOT NULL,
    parts jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT realtime_charges_pkey PRIMARY KEY (org_id, is_test, subscription_id, period_start),
    CONSTRAINT realtime_charges_not_negative CHECK (charged >= 0)
);
COMMENT ON COLUMN realtime_charges.parts
    IS 'what is charged, by its source and metric, those last used at the end';
SELECT restrict_to_tenant('realtime_charges');
GRANT SELECT, INSERT, UPDATE ON realtime_charges TO monigo_app;
ALTER TABLE realtime_charges ADD CONSTRAINT realtime_charges_subscription_fkey
    FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES subscriptions (org_id, is_test, id)
    ON DELETE RESTRICT;

-- Customers on a realtime plan, whose usage is charged as it changes.
CREATE TABLE watched_customers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    CONSTRAINT watched_customers_pkey PRIMARY KEY (org_id, is_test, customer_id)
);
SELECT restrict_to_tenant('watched_customers');
GRANT SELECT, INSERT, UPDATE, DELETE ON watched_customers TO monigo_app;

-- Simulations of a plan's prices: what past usage would have cost. They change nothing else.
--
-- `request` is what was asked for. A simulation that was interrupted starts again from nothing.
CREATE TABLE plan_simulations (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    status text NOT NULL,
    request jsonb NOT NULL,
    subscriptions_total integer NOT NULL,
    subscriptions_done integer NOT NULL,
    report jsonb,
    error_message text NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT plan_simulations_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT plan_simulations_status_known
        CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    CONSTRAINT plan_simulations_ended_has_its_time
        CHECK ((status IN ('completed', 'failed')) = (completed_at IS NOT NULL)),
    CONSTRAINT plan_simulations_completed_has_its_report
        CHECK ((status = 'completed') = (report IS NOT NULL)),
    CONSTRAINT plan_simulations_failed_says_why CHECK ((status = 'failed') = (error_message <> '')),
    CONSTRAINT plan_simulations_counts_not_negative
        CHECK (subscriptions_total >= 0 AND subscriptions_done >= 0)
);
SELECT restrict_to_tenant('plan_simulations');
GRANT SELECT, INSERT, UPDATE ON plan_simulations TO monigo_app;
ALTER TABLE plan_simulations ADD CONSTRAINT plan_simulations_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX plan_simulations_unfinished
    ON plan_simulations (org_id, is_test) WHERE status IN ('pending', 'processing');
