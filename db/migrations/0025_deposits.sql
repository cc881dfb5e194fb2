-- Deposits: what providers took back and nobody covered, money that fits nothing and goes back, and money
-- that came in excess.

-- Each rule takes the place of one that allowed less, or is true of all rows by what stands above it, and indexes are of
-- few rows. Databases that have rows are migrated while nothing runs.
-- squawk-ignore-file ban-drop-constraint, ban-drop-not-null, require-concurrent-index-creation
-- squawk-ignore-file constraint-missing-not-valid, adding-foreign-key-constraint

-- What a provider took back of a payment and the customer's wallet no longer had.
ALTER TABLE payments ADD COLUMN uncovered numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE payments ADD COLUMN uncovered_at timestamptz;
ALTER TABLE payments ADD CONSTRAINT payments_uncovered_went_back CHECK (
    uncovered >= 0 AND uncovered <> 'NaN' AND uncovered <= reversed + refunded
);
ALTER TABLE payments ADD CONSTRAINT payments_uncovered_has_its_time
    CHECK ((uncovered > 0) = (uncovered_at IS NOT NULL));
COMMENT ON COLUMN payments.uncovered IS 'what went back of it without its customer giving it up: the customer owes it';
COMMENT ON COLUMN payments.uncovered_at IS 'since when, of the tenant''s time';
CREATE INDEX payments_uncovered ON payments (org_id, is_test, customer_id) WHERE uncovered > 0;

-- Money that fits nothing is nobody's, and goes nowhere but back.
ALTER TABLE payments ALTER COLUMN customer_id DROP NOT NULL;
ALTER TABLE payments DROP CONSTRAINT payments_purpose_known;
ALTER TABLE payments ADD CONSTRAINT payments_purpose_known
    CHECK (purpose IN ('invoice', 'wallet', 'top_up', 'card_setup', 'unmatched'));
ALTER TABLE payments ADD CONSTRAINT payments_unmatched_is_nobodys
    CHECK ((purpose = 'unmatched') = (customer_id IS NULL));
ALTER TABLE payments ADD CONSTRAINT payments_unmatched_goes_back
    CHECK (purpose <> 'unmatched' OR to_invoice + to_wallet = 0);
GRANT UPDATE (
    uncovered, uncovered_at, kind, purpose, customer_id, charge_id, virtual_account_id, reference
) ON payments TO monigo_app;
ALTER TABLE refunds ALTER COLUMN customer_id DROP NOT NULL;
ALTER TABLE refunds ADD CONSTRAINT refunds_of_nobody_are_of_a_payment CHECK (
    customer_id IS NOT NULL
    OR (payment_id IS NOT NULL AND invoice_id IS NULL AND destination = 'provider')
);

-- An event whose money goes back to who paid it.
ALTER TABLE provider_events ADD COLUMN refund_id uuid;
ALTER TABLE provider_events DROP CONSTRAINT provider_events_state_known;
ALTER TABLE provider_events ADD CONSTRAINT provider_events_state_known CHECK (
    state IN (
        'received', 'applied', 'parked', 'failed', 'foreign', 'matched', 'ignored', 'refunded'
    )
);
ALTER TABLE provider_events ADD CONSTRAINT provider_events_refunded_by_one
    CHECK ((state = 'refunded') = (refund_id IS NOT NULL));
ALTER TABLE provider_events ADD CONSTRAINT provider_events_refund_fkey
    FOREIGN KEY (org_id, is_test, refund_id) REFERENCES refunds (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX provider_events_of_refund ON provider_events (org_id, is_test, refund_id)
    WHERE refund_id IS NOT NULL;
-- What waits of one payment of the provider's.
CREATE INDEX provider_events_waiting_for_payment
    ON provider_events (org_id, is_test, connection_id, provider_id)
    WHERE state IN ('parked', 'failed') AND provider_id <> '';

-- The part of a wallet's money that came in excess, and pays the customer's next invoices.
ALTER TABLE wallets ADD COLUMN excess numeric(24, 6) DEFAULT 0 NOT NULL;
ALTER TABLE wallets ADD CONSTRAINT wallets_excess_not_negative
    CHECK (excess >= 0 AND excess <> 'NaN');
COMMENT ON COLUMN wallets.excess IS 'what of its money invoices did not take, and no use has taken since';
GRANT UPDATE (excess) ON wallets TO monigo_app;
CREATE INDEX wallets_with_excess ON wallets (org_id, is_test, customer_id) WHERE excess > 0;
