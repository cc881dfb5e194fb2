-- What providers say of their own accord, and where their lists and our rows differ.

-- A webhook as it came, encrypted, and what became of it. What is kept in the clear is for people who look
-- for money that fits nothing.
CREATE TABLE provider_events (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    body_hash bytea NOT NULL,
    letter_ciphertext bytea NOT NULL,
    is_proven boolean NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    tries integer NOT NULL,
    kind text NOT NULL,
    payment_state text NOT NULL,
    reference text NOT NULL,
    provider_id text NOT NULL,
    rail_id text NOT NULL,
    currency text NOT NULL,
    amount numeric(24, 6),
    fee numeric(24, 6),
    fee_by_payer numeric(24, 6),
    occurred_at timestamptz,
    account text NOT NULL,
    is_confirmed boolean NOT NULL,
    invoice_id uuid,
    wallet_id uuid,
    received_at timestamptz NOT NULL,
    handled_at timestamptz,
    CONSTRAINT provider_events_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT provider_events_stored_once UNIQUE (org_id, is_test, connection_id, body_hash),
    CONSTRAINT provider_events_hash_is_sha256 CHECK (octet_length(body_hash) = 32),
    CONSTRAINT provider_events_letter_is_bounded CHECK (octet_length(letter_ciphertext) <= 1100000),
    CONSTRAINT provider_events_state_known CHECK (
        state IN ('received', 'applied', 'parked', 'failed', 'foreign', 'matched', 'ignored')
    ),
    CONSTRAINT provider_events_handled_in_the_end
        CHECK ((handled_at IS NULL) = (state IN ('received', 'parked', 'failed'))),
    CONSTRAINT provider_events_say_why
        CHECK (state NOT IN ('parked', 'failed', 'foreign', 'ignored') OR reason <> ''),
    CONSTRAINT provider_events_tries_not_negative CHECK (tries >= 0),
    CONSTRAINT provider_events_amount_in_a_currency CHECK ((amount IS NULL) OR (currency <> '')),
    CONSTRAINT provider_events_amounts_positive
        CHECK (amount > 0 AND amount <> 'NaN' AND fee >= 0 AND fee <> 'NaN' AND fee_by_payer >= 0 AND fee_by_payer <> 'NaN'),
    CONSTRAINT provider_events_matched_with_one
        CHECK (num_nonnulls(invoice_id, wallet_id) = (state = 'matched')::integer)
);
COMMENT ON COLUMN provider_events.is_proven IS 'its signature proves every byte, and its mode';
SELECT restrict_to_tenant('provider_events');
GRANT SELECT, INSERT, UPDATE, DELETE ON provider_events TO monigo_app;
ALTER TABLE provider_events ADD CONSTRAINT provider_events_credentials_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE INDEX provider_events_by_connection ON provider_events (org_id, is_test, connection_id, id);
-- The inbox.
CREATE INDEX provider_events_waiting ON provider_events (org_id, is_test, id)
    WHERE state IN ('parked', 'failed');
CREATE INDEX provider_events_by_age ON provider_events (org_id, is_test, received_at);

-- Where a provider's list and our rows differ. A difference that a later look does not find any more is settled.
CREATE TABLE reconciliation_rows (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    reference text NOT NULL,
    provider_id text NOT NULL,
    our_state text NOT NULL,
    our_amount numeric(24, 6),
    our_currency text NOT NULL,
    their_state text NOT NULL,
    their_amount numeric(24, 6),
    their_currency text NOT NULL,
    next_step text NOT NULL,
    reason text NOT NULL,
    occurred_at timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT reconciliation_rows_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT reconciliation_rows_one_of_each_kind
        UNIQUE (org_id, is_test, connection_id, kind, subject),
    CONSTRAINT reconciliation_rows_kind_known CHECK (
        kind IN ('missing_here', 'missing_there', 'other_amount', 'other_state')
    ),
    CONSTRAINT reconciliation_rows_subject_not_empty CHECK (subject <> ''),
    CONSTRAINT reconciliation_rows_next_step_known
        CHECK (next_step IN ('taken_over', 'compared_again', 'person')),
    CONSTRAINT reconciliation_rows_amounts_positive CHECK (
        our_amount > 0 AND our_amount <> 'NaN' AND their_amount >= 0 AND their_amount <> 'NaN'
    ),
    CONSTRAINT reconciliation_rows_amounts_in_a_currency CHECK (
        (our_amount IS NULL) = (our_currency = '') AND (their_amount IS NULL) = (their_currency = '')
    ),
    CONSTRAINT reconciliation_rows_taken_over_are_settled
        CHECK (next_step <> 'taken_over' OR settled_at IS NOT NULL),
    CONSTRAINT reconciliation_rows_times_in_order CHECK (found_at <= seen_at)
);
SELECT restrict_to_tenant('reconciliation_rows');
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciliation_rows TO monigo_app;
ALTER TABLE reconciliation_rows ADD CONSTRAINT reconciliation_rows_credentials_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
CREATE INDEX reconciliation_rows_open ON reconciliation_rows (org_id, is_test, connection_id, id)
    WHERE settled_at IS NULL;

-- The last whole look at a connection's list.
CREATE TABLE reconciliation_looks (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    connection_id uuid NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    listed integer NOT NULL,
    finished_at timestamptz NOT NULL,
    CONSTRAINT reconciliation_looks_pkey PRIMARY KEY (org_id, is_test, connection_id),
    CONSTRAINT reconciliation_looks_times_in_order CHECK (since < until AND until <= finished_at),
    CONSTRAINT reconciliation_looks_listed_not_negative CHECK (listed >= 0)
);
SELECT restrict_to_tenant('reconciliation_looks');
GRANT SELECT, INSERT, UPDATE ON reconciliation_looks TO monigo_app;
ALTER TABLE reconciliation_looks ADD CONSTRAINT reconciliation_looks_credentials_fkey
    FOREIGN KEY (org_id, is_test, connection_id)
    REFERENCES payment_credentials (org_id, is_test, connection_id) ON DELETE RESTRICT;
