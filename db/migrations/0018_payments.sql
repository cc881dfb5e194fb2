-- Money in: what is asked of customers, what came, and what went back.

-- Cards and accounts that a provider lets us charge again. A fingerprint is a keyed hash, by which the same
-- card is known; a token is encrypted, and gone once the provider has forgotten the method.
CREATE TABLE payment_methods (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    type text NOT NULL,
    token bytea,
    fingerprint_hash bytea NOT NULL,
    email text NOT NULL,
    brand text NOT NULL,
    last4 text NOT NULL,
    exp_month integer,
    exp_year integer,
    bank text NOT NULL,
    is_default boolean NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz,
    CONSTRAINT payment_methods_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT payment_methods_type_known CHECK (type IN ('card', 'bank_account', 'mobile_money')),
    CONSTRAINT payment_methods_charged_by_token CHECK (removed_at IS NOT NULL OR token IS NOT NULL),
    CONSTRAINT payment_methods_default_is_there CHECK (removed_at IS NULL OR NOT is_default),
    CONSTRAINT payment_methods_last4_is_short CHECK (length(last4) <= 4),
    CONSTRAINT payment_methods_expire_in_a_month CHECK (
        (exp_month IS NULL) = (exp_year IS NULL)
        AND exp_month BETWEEN 1 AND 12 AND exp_year BETWEEN 2000 AND 2199
    )
);
SELECT restrict_to_tenant('payment_methods');
GRANT SELECT, INSERT ON payment_methods TO monigo_app;
GRANT UPDATE (
    token, email, brand, last4, exp_month, exp_year, bank, is_default, removed_at
) ON payment_methods TO monigo_app;
ALTER TABLE payment_methods ADD CONSTRAINT payment_methods_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payment_methods ADD CONSTRAINT payment_methods_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE UNIQUE INDEX payment_methods_saved_once
    ON payment_methods (org_id, is_test, customer_id, connection_id, fingerprint_hash)
    WHERE removed_at IS NULL;
CREATE UNIQUE INDEX payment_methods_one_default
    ON payment_methods (org_id, is_test, customer_id) WHERE is_default;
CREATE INDEX payment_methods_of_connection
    ON payment_methods (org_id, is_test, connection_id) WHERE removed_at IS NULL;

-- Tries to take money from customers, by pulling it from a saved method or by a link that they pay.
-- `created_at` and `settled_at` are instants of the tenant's time, the others of real time. What is `created`
-- did not reach the provider.
CREATE TABLE charges (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    customer_id uuid NOT NULL,
    invoice_id uuid,
    wallet_id uuid,
    top_up_id uuid,
    subject_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    method_id uuid,
    attempt integer NOT NULL,
    reference text NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    description text NOT NULL,
    email text NOT NULL,
    return_url text NOT NULL,
    save_method boolean NOT NULL,
    is_inline boolean NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    failure_code text,
    failure_reason text NOT NULL,
    failure_is_final boolean NOT NULL,
    provider_id text NOT NULL,
    url text NOT NULL,
    access_code text NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    submitted_at timestamptz,
    sent_at timestamptz,
    settled_at timestamptz,
    asked integer NOT NULL,
    asked_at timestamptz,
    first_not_found_at timestamptz,
    needs_person_at timestamptz,
    resolved_by text,
    resolved_at timestamptz,
    resolution text,
    note text NOT NULL,
    is_contradicted boolean NOT NULL,
    CONSTRAINT charges_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT charges_reference_used_once UNIQUE (org_id, is_test, reference),
    CONSTRAINT charges_attempts_are_numbered
        UNIQUE (org_id, is_test, kind, subject_id, attempt),
    CONSTRAINT charges_kind_known CHECK (kind IN ('pull', 'checkout')),
    CONSTRAINT charges_purpose_has_its_subject CHECK (
        (purpose = 'invoice') = (invoice_id IS NOT NULL)
        AND (purpose IN ('wallet', 'top_up')) = (wallet_id IS NOT NULL)
        AND (purpose = 'top_up') = (top_up_id IS NOT NULL)
        AND purpose IN ('invoice', 'wallet', 'top_up', 'card_setup')
        AND subject_id = coalesce(top_up_id, wallet_id, invoice_id, customer_id)
    ),
    CONSTRAINT charges_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT charges_attempts_count_from_one CHECK (attempt > 0 AND asked >= 0),
    CONSTRAINT charges_pull_has_a_method CHECK ((kind = 'pull') = (method_id IS NOT NULL)),
    CONSTRAINT charges_checkout_expires CHECK ((kind = 'checkout') = (expires_at IS NOT NULL)),
    CONSTRAINT charges_state_known CHECK (
        state IN (
            'created', 'submitted', 'pending', 'unknown', 'needs_action', 'succeeded', 'failed',
            'reversed'
        )
    ),
    CONSTRAINT charges_settled_has_its_time CHECK (
        (state IN ('succeeded', 'failed', 'reversed')) = (settled_at IS NOT NULL)
    ),
    CONSTRAINT charges_sent_has_its_time CHECK (
        (submitted_at IS NULL) = (sent_at IS NULL) AND submitted_at <= sent_at
        AND (sent_at IS NOT NULL OR state NOT IN ('submitted', 'unknown'))
    ),
    CONSTRAINT charges_failed_says_why CHECK (
        (state <> 'failed' OR failure_code IS NOT NULL)
        AND (failure_code IS NOT NULL OR (failure_reason = '' AND NOT failure_is_final))
    ),
    CONSTRAINT charges_resolution_is_whole CHECK (
        (resolved_by IS NULL) = (resolved_at IS NULL)
        AND (resolved_by IS NULL) = (resolution IS NULL)
        AND resolution IN ('succeeded', 'failed')
        AND (resolved_by IS NOT NULL OR (note = '' AND NOT is_contradicted))
    )
);
SELECT restrict_to_tenant('charges');
GRANT SELECT, INSERT ON charges TO monigo_app;
GRANT UPDATE (
    state, failure_code, failure_reason, failure_is_final, provider_id, url, access_code,
    submitted_at, sent_at, settled_at, asked, asked_at, first_not_found_at, needs_person_at,
    resolved_by, resolved_at, resolution, note, is_contradicted
) ON charges TO monigo_app;
ALTER TABLE charges ADD CONSTRAINT charges_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE charges ADD CONSTRAINT charges_invoice_fkey
    FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE charges ADD CONSTRAINT charges_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id) REFERENCES wallets (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE charges ADD CONSTRAINT charges_top_up_fkey
    FOREIGN KEY (org_id, is_test, top_up_id) REFERENCES wallet_top_ups (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE charges ADD CONSTRAINT charges_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
ALTER TABLE charges ADD CONSTRAINT charges_method_fkey
    FOREIGN KEY (org_id, is_test, method_id) REFERENCES payment_methods (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX charges_one_live_pull_per_invoice ON charges (org_id, is_test, invoice_id)
    WHERE kind = 'pull' AND purpose = 'invoice'
    AND state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE UNIQUE INDEX charges_one_open_checkout_per_invoice_and_provider
    ON charges (org_id, is_test, invoice_id, provider)
    WHERE kind = 'checkout' AND purpose = 'invoice'
    AND state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE UNIQUE INDEX charges_one_live_top_up_per_wallet ON charges (org_id, is_test, wallet_id)
    WHERE purpose = 'top_up'
    AND state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE INDEX charges_of_invoice ON charges (org_id, is_test, invoice_id, created_at)
    WHERE invoice_id IS NOT NULL;
CREATE INDEX charges_of_wallet ON charges (org_id, is_test, wallet_id, created_at)
    WHERE wallet_id IS NOT NULL;
CREATE INDEX charges_of_customer ON charges (org_id, is_test, customer_id, created_at);
CREATE INDEX charges_by_provider_id ON charges (org_id, is_test, connection_id, provider_id)
    WHERE provider_id <> '';
CREATE INDEX charges_live_of_connection ON charges (org_id, is_test, connection_id)
    WHERE state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE INDEX charges_of_method ON charges (org_id, is_test, method_id) WHERE method_id IS NOT NULL;
CREATE INDEX charges_for_a_person ON charges (org_id, is_test, needs_person_at)
    WHERE needs_person_at IS NOT NULL;

-- Money that came in at a provider, each payment once, known by the provider's own id. `amount` is what the
-- customer is credited: without what the payer bore of the fee. All of it is for an invoice or a wallet, as
-- the transaction decides that takes it in; a payment that was reversed before anybody knew of it is for none.
CREATE TABLE payments (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    provider_id text NOT NULL,
    rail_id text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    charge_id uuid,
    virtual_account_id uuid,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    fee numeric(24, 6) NOT NULL,
    fee_by_payer numeric(24, 6) NOT NULL,
    is_by_person boolean NOT NULL,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    invoice_id uuid,
    to_invoice numeric(24, 6) NOT NULL,
    wallet_id uuid,
    to_wallet numeric(24, 6) NOT NULL,
    refunded numeric(24, 6) NOT NULL,
    reversed numeric(24, 6) NOT NULL,
    CONSTRAINT payments_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT payments_currency_fixed UNIQUE (org_id, is_test, id, currency),
    CONSTRAINT payments_counted_once UNIQUE (org_id, is_test, connection_id, provider_id),
    CONSTRAINT payments_have_an_id CHECK (provider_id <> ''),
    CONSTRAINT payments_kind_known CHECK (kind IN ('charge', 'deposit')),
    CONSTRAINT payments_purpose_known
        CHECK (purpose IN ('invoice', 'wallet', 'top_up', 'card_setup')),
    CONSTRAINT payments_source_fits_kind CHECK (
        (charge_id IS NULL OR kind = 'charge') AND (virtual_account_id IS NULL OR kind = 'deposit')
    ),
    CONSTRAINT payments_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT payments_fee_not_negative CHECK (
        fee >= 0 AND fee <> 'NaN' AND fee_by_payer >= 0 AND fee_by_payer <> 'NaN'
    ),
    CONSTRAINT payments_go_somewhere_whole CHECK (
        to_invoice >= 0 AND to_wallet >= 0 AND to_invoice + to_wallet IN (0, amount)
        AND (to_invoice > 0) <= (invoice_id IS NOT NULL)
        AND (to_wallet > 0) <= (wallet_id IS NOT NULL)
    ),
    CONSTRAINT payments_give_back_no_more_than_came CHECK (
        refunded >= 0 AND reversed >= 0 AND refunded + reversed <= amount
    )
);
SELECT restrict_to_tenant('payments');
GRANT SELECT, INSERT ON payments TO monigo_app;
GRANT UPDATE (
    provider_id, is_by_person, fee, invoice_id, to_invoice, wallet_id, to_wallet, refunded, reversed
) ON payments TO monigo_app;
ALTER TABLE payments ADD CONSTRAINT payments_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
ALTER TABLE payments ADD CONSTRAINT payments_charge_fkey
    FOREIGN KEY (org_id, is_test, charge_id) REFERENCES charges (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payments ADD CONSTRAINT payments_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payments ADD CONSTRAINT payments_invoice_fkey
    FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE payments ADD CONSTRAINT payments_wallet_fkey
    FOREIGN KEY (org_id, is_test, wallet_id) REFERENCES wallets (org_id, is_test, id)
    ON DELETE RESTRICT;
-- Two channels that report one payment meet by what the bank or network calls it.
CREATE UNIQUE INDEX payments_of_one_rail_counted_once
    ON payments (org_id, is_test, connection_id, rail_id, currency, amount) WHERE rail_id <> '';
CREATE INDEX payments_by_reference ON payments (org_id, is_test, connection_id, reference)
    WHERE reference <> '';
CREATE INDEX payments_of_charge ON payments (org_id, is_test, charge_id)
    WHERE charge_id IS NOT NULL;
CREATE INDEX payments_of_invoice ON payments (org_id, is_test, invoice_id, received_at)
    WHERE invoice_id IS NOT NULL;
CREATE INDEX payments_of_customer ON payments (org_id, is_test, customer_id, received_at);

-- Money that goes back for a payment, by its provider or into the customer's wallet. What an invoice's wallet
-- and credits paid goes back without a payment.
CREATE TABLE refunds (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    payment_id uuid,
    charge_id uuid,
    invoice_id uuid,
    customer_id uuid NOT NULL,
    connection_id uuid,
    provider text NOT NULL,
    attempt integer NOT NULL,
    reference text NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    reason text NOT NULL,
    destination text NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    failure_code text,
    failure_reason text NOT NULL,
    provider_id text NOT NULL,
    created_at timestamptz NOT NULL,
    submitted_at timestamptz,
    settled_at timestamptz,
    asked integer NOT NULL,
    asked_at timestamptz,
    first_not_found_at timestamptz,
    needs_person_at timestamptz,
    resolved_by text,
    resolved_at timestamptz,
    note text NOT NULL,
    CONSTRAINT refunds_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT refunds_reference_used_once UNIQUE (org_id, is_test, reference),
    CONSTRAINT refunds_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT refunds_attempts_count_from_one CHECK (attempt > 0 AND asked >= 0),
    CONSTRAINT refunds_destination_known CHECK (destination IN ('provider', 'wallet')),
    CONSTRAINT refunds_give_back_something CHECK (
        (payment_id IS NOT NULL OR (invoice_id IS NOT NULL AND destination = 'wallet'))
        AND (payment_id IS NOT NULL) = (connection_id IS NOT NULL)
    ),
    CONSTRAINT refunds_state_known CHECK (
        state IN (
            'created', 'submitted', 'pending', 'unknown', 'needs_action', 'succeeded', 'failed'
        )
    ),
    CONSTRAINT refunds_settled_has_its_time
        CHECK ((state IN ('succeeded', 'failed')) = (settled_at IS NOT NULL)),
    CONSTRAINT refunds_failed_says_why CHECK (
        (state <> 'failed' OR failure_code IS NOT NULL)
        AND (failure_code IS NOT NULL OR failure_reason = '')
    ),
    CONSTRAINT refunds_resolution_is_whole CHECK (
        (resolved_by IS NULL) = (resolved_at IS NULL) AND (resolved_by IS NOT NULL OR note = '')
    )
);
SELECT restrict_to_tenant('refunds');
GRANT SELECT, INSERT ON refunds TO monigo_app;
GRANT UPDATE (
    state, failure_code, failure_reason, provider_id, submitted_at, settled_at, asked, asked_at,
    first_not_found_at, needs_person_at, resolved_by, resolved_at, note
) ON refunds TO monigo_app;
ALTER TABLE refunds ADD CONSTRAINT refunds_payment_fkey
    FOREIGN KEY (org_id, is_test, payment_id, currency)
    REFERENCES payments (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE refunds ADD CONSTRAINT refunds_charge_fkey
    FOREIGN KEY (org_id, is_test, charge_id) REFERENCES charges (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE refunds ADD CONSTRAINT refunds_invoice_fkey
    FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE refunds ADD CONSTRAINT refunds_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE refunds ADD CONSTRAINT refunds_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE UNIQUE INDEX refunds_one_live_per_payment ON refunds (org_id, is_test, payment_id)
    WHERE payment_id IS NOT NULL
    AND state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE INDEX refunds_of_payment ON refunds (org_id, is_test, payment_id, created_at);
CREATE INDEX refunds_of_invoice ON refunds (org_id, is_test, invoice_id, created_at)
    WHERE invoice_id IS NOT NULL;
CREATE INDEX refunds_by_provider_id ON refunds (org_id, is_test, connection_id, provider_id)
    WHERE provider_id <> '';
CREATE INDEX refunds_for_a_person ON refunds (org_id, is_test, needs_person_at)
    WHERE needs_person_at IS NOT NULL;

-- Payments that payers dispute with their banks. A lost one has gone back.
CREATE TABLE disputes (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider_id text NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    lost_amount numeric(24, 6) NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT disputes_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT disputes_counted_once UNIQUE (org_id, is_test, connection_id, provider_id),
    CONSTRAINT disputes_have_an_id CHECK (provider_id <> ''),
    CONSTRAINT disputes_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT disputes_lose_no_more_than_disputed CHECK (
        lost_amount >= 0 AND lost_amount <= amount AND (state = 'lost' OR lost_amount = 0)
    ),
    CONSTRAINT disputes_state_known CHECK (state IN ('open', 'won', 'lost')),
    CONSTRAINT disputes_settled_has_its_time
        CHECK ((state <> 'open') = (settled_at IS NOT NULL))
);
SELECT restrict_to_tenant('disputes');
GRANT SELECT, INSERT ON disputes TO monigo_app;
GRANT UPDATE (state, lost_amount, reason, settled_at) ON disputes TO monigo_app;
ALTER TABLE disputes ADD CONSTRAINT disputes_payment_fkey
    FOREIGN KEY (org_id, is_test, payment_id, currency)
    REFERENCES payments (org_id, is_test, id, currency) ON DELETE RESTRICT;
ALTER TABLE disputes ADD CONSTRAINT disputes_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE INDEX disputes_of_payment ON disputes (org_id, is_test, payment_id);
