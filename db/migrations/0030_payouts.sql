-- Payouts: what is owed to payees leaves as transfers, or it is noted why not.
-- Tables that are made here have no rows yet; those that they point at keep theirs.
-- squawk-ignore-file adding-foreign-key-constraint, constraint-missing-not-valid

ALTER TABLE organizations ADD COLUMN payouts jsonb DEFAULT '{}' NOT NULL;
ALTER TABLE organizations ADD CONSTRAINT organizations_payouts_is_an_object
    CHECK (jsonb_typeof(payouts) = 'object') NOT VALID;
ALTER TABLE organizations VALIDATE CONSTRAINT organizations_payouts_is_an_object;

-- How far the payout of a final bill has come. A hold stops what is not on its way.
CREATE TABLE payouts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    bill_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    hold_reason text NOT NULL,
    held_by text,
    held_at timestamptz,
    initiated_by text,
    initiated_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payouts_pkey PRIMARY KEY (org_id, is_test, bill_id),
    CONSTRAINT payouts_state_known CHECK (
        state IN (
            'due', 'needs_approval', 'below_minimum', 'blocked', 'sending', 'paid', 'failed', 'void'
        )
    ),
    CONSTRAINT payouts_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT payouts_reason_in_bounds CHECK (length(reason) <= 500),
    CONSTRAINT payouts_hold_reason_in_bounds CHECK (length(hold_reason) <= 500),
    CONSTRAINT payouts_hold_is_whole CHECK (
        (held_at IS NULL) = (held_by IS NULL) AND (held_at IS NULL) = (hold_reason = '')
    ),
    CONSTRAINT payouts_initiated_is_whole
        CHECK ((initiated_by IS NULL) = (initiated_at IS NULL))
);
COMMENT ON COLUMN payouts.reason IS 'why it is not paid yet, in plain words';
SELECT restrict_to_tenant('payouts');
GRANT SELECT, INSERT ON payouts TO monigo_app;
GRANT UPDATE (
    state, reason, hold_reason, held_by, held_at, initiated_by, initiated_at, updated_at
) ON payouts TO monigo_app;
ALTER TABLE payouts ADD CONSTRAINT payouts_bill_fkey
    FOREIGN KEY (org_id, is_test, bill_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payouts ADD CONSTRAINT payouts_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX payouts_below_minimum
    ON payouts (org_id, is_test, customer_id, currency) WHERE state = 'below_minimum';
CREATE INDEX payouts_waiting_for_person
    ON payouts (org_id, is_test, bill_id) WHERE state IN ('needs_approval', 'failed');

-- What of a bill goes to which account. Without `to_account_id` that is the payee's default account of the
-- bill's currency at the time. `transfer_id` is the transfer that carries the leg, or that paid it; as long as
-- `is_in_flight`, its amount is in the books as on its way.
CREATE TABLE payout_legs (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    position integer NOT NULL,
    customer_id uuid NOT NULL,
    to_account_id uuid,
    payee_id uuid,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    state text NOT NULL,
    is_in_flight boolean NOT NULL,
    transfer_id uuid,
    failure_code text NOT NULL,
    failure_reason text NOT NULL,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    settled_at timestamptz,
    CONSTRAINT payout_legs_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT payout_legs_position_unique UNIQUE (org_id, is_test, bill_id, position),
    CONSTRAINT payout_legs_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT payout_legs_position_from_zero CHECK (position >= 0),
    CONSTRAINT payout_legs_state_known CHECK (state IN ('owed', 'sending', 'paid')),
    CONSTRAINT payout_legs_go_by_a_transfer CHECK (
        (transfer_id IS NOT NULL) = (state IN ('sending', 'paid'))
    ),
    CONSTRAINT payout_legs_in_flight_are_sending CHECK (NOT is_in_flight OR state = 'sending'),
    CONSTRAINT payout_legs_sent_has_its_payee CHECK (
        (sent_at IS NULL) = (payee_id IS NULL) AND (transfer_id IS NULL OR sent_at IS NOT NULL)
    ),
    CONSTRAINT payout_legs_paid_has_its_time CHECK ((state = 'paid') = (settled_at IS NOT NULL))
);
SELECT restrict_to_tenant('payout_legs');
GRANT SELECT, INSERT ON payout_legs TO monigo_app;
GRANT UPDATE (
    state, is_in_flight, transfer_id, payee_id, failure_code, failure_reason, sent_at, settled_at
) ON payout_legs TO monigo_app;
ALTER TABLE payout_legs ADD CONSTRAINT payout_legs_payout_fkey
    FOREIGN KEY (org_id, is_test, bill_id) REFERENCES payouts (org_id, is_test, bill_id)
    ON DELETE RESTRICT;
ALTER TABLE payout_legs ADD CONSTRAINT payout_legs_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payout_legs ADD CONSTRAINT payout_legs_payee_fkey
    FOREIGN KEY (org_id, is_test, payee_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payout_legs ADD CONSTRAINT payout_legs_account_fkey
    FOREIGN KEY (org_id, is_test, to_account_id) REFERENCES payout_accounts (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payout_legs ADD CONSTRAINT payout_legs_transfer_fkey
    FOREIGN KEY (org_id, is_test, transfer_id) REFERENCES transfers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX payout_legs_of_payee ON payout_legs (org_id, is_test, payee_id, sent_at)
    INCLUDE (currency, amount, state) WHERE sent_at IS NOT NULL;

-- Which legs a transfer pays, for ever: one of the payee's alone, or those of small bills with it.
CREATE TABLE payout_parts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    transfer_id uuid NOT NULL,
    leg_id uuid NOT NULL,
    amount numeric(24, 6) NOT NULL,
    is_excess boolean NOT NULL,
    CONSTRAINT payout_parts_pkey PRIMARY KEY (org_id, is_test, transfer_id, leg_id),
    CONSTRAINT payout_parts_amount_positive CHECK (amount > 0 AND amount <> 'NaN')
);
COMMENT ON COLUMN payout_parts.is_excess
    IS 'the payee has it beside what was owed: another transfer paid the leg, or the bill was void';
SELECT restrict_to_tenant('payout_parts');
GRANT SELECT, INSERT ON payout_parts TO monigo_app;
GRANT UPDATE (is_excess) ON payout_parts TO monigo_app;
ALTER TABLE payout_parts ADD CONSTRAINT payout_parts_transfer_fkey
    FOREIGN KEY (org_id, is_test, transfer_id) REFERENCES transfers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payout_parts ADD CONSTRAINT payout_parts_leg_fkey
    FOREIGN KEY (org_id, is_test, leg_id) REFERENCES payout_legs (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX payout_parts_of_leg ON payout_parts (org_id, is_test, leg_id);

-- What of a payout plan's bills goes to other accounts than the payee's.
CREATE TABLE payout_splits (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    plan_id uuid NOT NULL,
    position integer NOT NULL,
    payout_account_id uuid NOT NULL,
    percentage numeric(7, 4),
    amount numeric(24, 6),
    CONSTRAINT payout_splits_pkey PRIMARY KEY (org_id, is_test, plan_id, position),
    CONSTRAINT payout_splits_account_once UNIQUE (org_id, is_test, plan_id, payout_account_id),
    CONSTRAINT payout_splits_one_way CHECK (
        (percentage IS NULL) <> (amount IS NULL)
        AND percentage > 0 AND percentage <= 100 AND amount > 0 AND amount <> 'NaN'
    )
);
SELECT restrict_to_tenant('payout_splits');
GRANT SELECT, INSERT, DELETE ON payout_splits TO monigo_app;
ALTER TABLE payout_splits ADD CONSTRAINT payout_splits_plan_fkey
    FOREIGN KEY (org_id, is_test, plan_id) REFERENCES plans (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payout_splits ADD CONSTRAINT payout_splits_account_fkey
    FOREIGN KEY (org_id, is_test, payout_account_id)
    REFERENCES payout_accounts (org_id, is_test, id) ON DELETE RESTRICT;

-- How much was sent in each hour of the tenant's time, which limits what is sent by itself.
CREATE TABLE payout_batches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    currency text NOT NULL,
    hour timestamptz NOT NULL,
    amount numeric(24, 6) NOT NULL,
    CONSTRAINT payout_batches_pkey PRIMARY KEY (org_id, is_test, currency, hour),
    CONSTRAINT payout_batches_not_negative CHECK (amount >= 0 AND amount <> 'NaN')
);
SELECT restrict_to_tenant('payout_batches');
GRANT SELECT, INSERT ON payout_batches TO monigo_app;
GRANT UPDATE (amount) ON payout_batches TO monigo_app;
