-- Money out: the accounts of payees, and what is sent to them.

-- Accounts of payees, at a bank or by a phone at a network; the number is encrypted. What a provider says of
-- whose it is counts until the account changes. A deleted one is paid to no more.
CREATE TABLE payout_accounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    account_name text NOT NULL,
    payout_method text NOT NULL,
    bank_name text NOT NULL,
    bank_code text NOT NULL,
    number_ciphertext bytea NOT NULL,
    last4 text NOT NULL,
    currency text NOT NULL,
    is_default boolean NOT NULL,
    metadata jsonb NOT NULL,
    resolution text NOT NULL,
    resolved_name text NOT NULL,
    resolution_reason text NOT NULL,
    resolution_tries integer NOT NULL,
    resolved_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT payout_accounts_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT payout_accounts_method_known
        CHECK (payout_method IN ('bank_transfer', 'mobile_money')),
    CONSTRAINT payout_accounts_last4_is_short CHECK (length(last4) BETWEEN 1 AND 4),
    CONSTRAINT payout_accounts_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT payout_accounts_metadata_is_an_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT payout_accounts_resolution_known CHECK (
        resolution IN ('unresolved', 'matched', 'mismatched', 'not_found', 'unsupported')
    ),
    CONSTRAINT payout_accounts_resolved_has_its_time
        CHECK ((resolution = 'unresolved') = (resolved_at IS NULL)),
    CONSTRAINT payout_accounts_resolved_has_a_name CHECK (
        (resolution IN ('matched', 'mismatched')) = (resolved_name <> '')
    ),
    CONSTRAINT payout_accounts_tries_count_from_zero CHECK (resolution_tries >= 0),
    CONSTRAINT payout_accounts_default_is_there CHECK (deleted_at IS NULL OR NOT is_default)
);
COMMENT ON COLUMN payout_accounts.changed_at
    IS 'when what is paid to was set or changed last; of the tenant''s time, as created_at and updated_at';
SELECT restrict_to_tenant('payout_accounts');
GRANT SELECT, INSERT ON payout_accounts TO monigo_app;
GRANT UPDATE (
    account_name, payout_method, bank_name, bank_code, number_ciphertext, last4, currency, is_default,
    metadata, resolution, resolved_name, resolution_reason, resolution_tries, resolved_at,
    updated_at, changed_at, deleted_at
) ON payout_accounts TO monigo_app;
ALTER TABLE payout_accounts ADD CONSTRAINT payout_accounts_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE UNIQUE INDEX payout_accounts_one_default_per_currency
    ON payout_accounts (org_id, is_test, customer_id, currency) WHERE is_default;
CREATE INDEX payout_accounts_of_customer
    ON payout_accounts (org_id, is_test, customer_id, created_at) WHERE deleted_at IS NULL;

-- Tries to pay a leg of a bill, to the account as it was then. `created_at` and `settled_at` are instants of
-- the tenant's time, the others of real time. What is `created` did not reach the provider, or was refused
-- so that the same reference may be sent again.
CREATE TABLE transfers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    leg_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    payout_account_id uuid NOT NULL,
    payout_method text NOT NULL,
    bank_code text NOT NULL,
    bank_name text NOT NULL,
    account_name text NOT NULL,
    number_ciphertext bytea NOT NULL,
    last4 text NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    attempt integer NOT NULL,
    reference text NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6) NOT NULL,
    narration text NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    needs_otp boolean NOT NULL,
    is_alone boolean NOT NULL,
    is_excess boolean NOT NULL,
    failure_code text,
    failure_reason text NOT NULL,
    failure_is_final boolean NOT NULL,
    batch_id uuid,
    provider_id text NOT NULL,
    rail_id text NOT NULL,
    fee numeric(24, 6),
    created_at timestamptz NOT NULL,
    submitted_at timestamptz,
    sent_at timestamptz,
    waiting_since timestamptz,
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
    CONSTRAINT transfers_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT transfers_reference_used_once UNIQUE (org_id, is_test, reference),
    CONSTRAINT transfers_attempts_are_numbered UNIQUE (org_id, is_test, leg_id, attempt),
    CONSTRAINT transfers_method_known CHECK (payout_method IN ('bank_transfer', 'mobile_money')),
    CONSTRAINT transfers_amount_positive CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT transfers_fee_not_negative CHECK (fee >= 0 AND fee <> 'NaN'),
    CONSTRAINT transfers_attempts_count_from_one CHECK (attempt > 0 AND asked >= 0),
    CONSTRAINT transfers_state_known CHECK (
        state IN (
            'created', 'submitted', 'pending', 'unknown', 'needs_action', 'succeeded', 'failed',
            'reversed'
        )
    ),
    CONSTRAINT transfers_settled_has_its_time CHECK (
        (state IN ('succeeded', 'failed', 'reversed')) = (settled_at IS NOT NULL)
    ),
    CONSTRAINT transfers_sent_has_its_time CHECK (
        (submitted_at IS NULL) = (sent_at IS NULL) AND submitted_at <= sent_at
        AND (sent_at IS NOT NULL OR state IN ('created', 'failed'))
    ),
    CONSTRAINT transfers_failed_says_why CHECK (
        (state <> 'failed' OR failure_code IS NOT NULL)
        AND (failure_code IS NOT NULL OR (failure_reason = '' AND NOT failure_is_final))
    ),
    CONSTRAINT transfers_excess_was_paid
        CHECK (NOT is_excess OR state IN ('succeeded', 'reversed')),
    CONSTRAINT transfers_otp_is_awaited CHECK (NOT needs_otp OR state = 'needs_action'),
    CONSTRAINT transfers_resolution_is_whole CHECK (
        (resolved_by IS NULL) = (resolved_at IS NULL)
        AND (resolved_by IS NULL) = (resolution IS NULL)
        AND resolution IN ('succeeded', 'failed')
        AND (resolved_by IS NOT NULL OR (note = '' AND NOT is_contradicted))
    )
);
COMMENT ON COLUMN transfers.waiting_since IS 'since when it could not be sent, or the balance does not suffice, while it waits to be sent again';
COMMENT ON COLUMN transfers.is_alone IS 'not sent in bulk: a provider refused a whole bulk that had it';
COMMENT ON COLUMN transfers.is_excess IS 'the payee has it beside another transfer of the same leg';
SELECT restrict_to_tenant('transfers');
GRANT SELECT, INSERT ON transfers TO monigo_app;
GRANT UPDATE (
    state, needs_otp, is_alone, is_excess, failure_code, failure_reason, failure_is_final, batch_id,
    provider_id, rail_id, fee, submitted_at, sent_at, waiting_since, settled_at, asked, asked_at,
    first_not_found_at, needs_person_at, resolved_by, resolved_at, resolution, note, is_contradicted
) ON transfers TO monigo_app;
ALTER TABLE transfers ADD CONSTRAINT transfers_bill_fkey
    FOREIGN KEY (org_id, is_test, bill_id) REFERENCES invoices (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE transfers ADD CONSTRAINT transfers_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
ALTER TABLE transfers ADD CONSTRAINT transfers_account_fkey
    FOREIGN KEY (org_id, is_test, payout_account_id)
    REFERENCES payout_accounts (org_id, is_test, id) ON DELETE RESTRICT;
ALTER TABLE transfers ADD CONSTRAINT transfers_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE UNIQUE INDEX transfers_one_live_per_leg ON transfers (org_id, is_test, leg_id)
    WHERE state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE UNIQUE INDEX transfers_one_counts_per_leg ON transfers (org_id, is_test, leg_id)
    WHERE state = 'succeeded' AND NOT is_excess;
CREATE INDEX transfers_of_bill ON transfers (org_id, is_test, bill_id, created_at);
CREATE INDEX transfers_of_customer ON transfers (org_id, is_test, customer_id, created_at);
CREATE INDEX transfers_of_account ON transfers (org_id, is_test, payout_account_id);
CREATE INDEX transfers_by_provider_id ON transfers (org_id, is_test, connection_id, provider_id)
    WHERE provider_id <> '';
CREATE INDEX transfers_live_of_connection ON transfers (org_id, is_test, connection_id)
    WHERE state IN ('created', 'submitted', 'pending', 'unknown', 'needs_action');
CREATE INDEX transfers_sent_of_connection ON transfers (org_id, is_test, connection_id, sent_at)
    WHERE sent_at IS NOT NULL;
CREATE INDEX transfers_for_a_person ON transfers (org_id, is_test, needs_person_at)
    WHERE needs_person_at IS NOT NULL;

-- When the next bulk of a connection may be sent, where its provider wants time between two of them.
CREATE TABLE transfer_turns (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    connection_id uuid NOT NULL,
    free_at timestamptz NOT NULL,
    CONSTRAINT transfer_turns_pkey PRIMARY KEY (org_id, is_test, connection_id)
);
SELECT restrict_to_tenant('transfer_turns');
GRANT SELECT, INSERT, UPDATE, DELETE ON transfer_turns TO monigo_app;
ALTER TABLE transfer_turns ADD CONSTRAINT transfer_turns_connection_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
