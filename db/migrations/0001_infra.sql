-- What every table of the tenants' follows, and the tables of the machinery: answers to repeated requests,
-- the agenda, the outbox.

-- Restricts a table to rows of the transaction's tenant: by organisation, and by mode where the table has one.
-- Tables of ids, which are read across tenants, are restricted, too; only functions of the owner's see all of
-- them.
CREATE FUNCTION restrict_to_tenant(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    own_rows text := $policy$org_id = nullif(current_setting('app.org_id', true), '')::uuid$policy$;
BEGIN
    IF EXISTS (
        SELECT 1 FROM pg_catalog.pg_attribute
        WHERE attrelid = target AND attname = 'is_test' AND NOT attisdropped
    ) THEN
        own_rows := own_rows
            || $policy$ AND is_test = nullif(current_setting('app.is_test', true), '')::boolean$policy$;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own_rows ON %s USING (%s) WITH CHECK (%s)', target, own_rows, own_rows
    );
END
$$;

-- Responses to requests with an Idempotency-Key; a row commits with the effect that it reports. Of a request
-- that calls the outside between its transactions, the intent is stored and claimed, so that a repeat knows of
-- it while it runs, and takes it over where its process died.
CREATE TABLE idempotency_records (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    request_key bytea NOT NULL,
    body_hash bytea NOT NULL,
    status integer,
    response_body bytea,
    created_at timestamptz NOT NULL,
    -- What the first transaction decided to do; gone once the request is answered.
    intent jsonb,
    -- Which attempt is at it, and until when it is believed to live.
    claimed_by uuid,
    claimed_until timestamptz,
    CONSTRAINT idempotency_records_pkey PRIMARY KEY (org_id, is_test, request_key),
    CONSTRAINT idempotency_records_key_is_sha256 CHECK (octet_length(request_key) = 32),
    CONSTRAINT idempotency_records_status_kept
        CHECK (status BETWEEN 200 AND 299 OR status IN (400, 404, 409, 422)),
    CONSTRAINT idempotency_records_answer_is_whole
        CHECK ((status IS NULL) = (response_body IS NULL)),
    CONSTRAINT idempotency_records_intent_until_answered
        CHECK ((intent IS NULL) = (status IS NOT NULL)),
    CONSTRAINT idempotency_records_claim_is_whole
        CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT idempotency_records_answered_is_unclaimed
        CHECK (status IS NULL OR claimed_by IS NULL)
);
SELECT restrict_to_tenant('idempotency_records');
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_records TO monigo_app;
CREATE INDEX idempotency_records_by_age ON idempotency_records (org_id, is_test, created_at);

-- The agenda: due work of every kind and tenant, by ids.
--
-- `due_at` is an instant of the time that the kind follows, `runs_at` of real time: infinity while
-- a test clock stands before `due_at`, or is on its way. Each time that an entry is put it has another
-- version. What failed bears the reason, and is due again later, or never where `due_at` is
-- infinity. `claimed_until` is of work that takes several transactions.
CREATE TABLE agenda (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    due_at timestamptz NOT NULL,
    runs_at timestamptz NOT NULL,
    version bigint NOT NULL,
    attempts integer NOT NULL,
    claimed_until timestamptz,
    reason text NOT NULL,
    CONSTRAINT agenda_pkey PRIMARY KEY (org_id, is_test, kind, subject),
    CONSTRAINT agenda_version_positive CHECK (version > 0),
    CONSTRAINT agenda_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT agenda_set_aside_says_why CHECK ((attempts = 0) = (reason = '')),
    CONSTRAINT agenda_reason_is_short CHECK (char_length(reason) <= 500),
    CONSTRAINT agenda_never_due_never_runs
        CHECK (due_at < 'infinity' OR runs_at = 'infinity')
);
SELECT restrict_to_tenant('agenda');
GRANT SELECT, INSERT, UPDATE, DELETE ON agenda TO monigo_app;
CREATE INDEX agenda_earliest_first ON agenda (org_id, is_test, kind, due_at, subject);
CREATE INDEX agenda_runs_at ON agenda (runs_at) WHERE runs_at < 'infinity';
CREATE INDEX agenda_set_aside ON agenda (org_id, is_test, kind, subject) WHERE attempts > 0;

-- Facts: what domains report in the transaction in which it happens, and who is still to get it.
--
-- A subject's facts have positions in the order of their commits: each is one more than the last,
-- read under the subject's lock. Of two that would be taken without it, one is refused by the key.
CREATE TABLE outbox_facts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subject_id uuid NOT NULL,
    position bigint NOT NULL,
    subject text NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    actor text NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT outbox_facts_pkey PRIMARY KEY (org_id, is_test, subject_id, position),
    CONSTRAINT outbox_facts_position_positive CHECK (position > 0),
    CONSTRAINT outbox_facts_payload_is_an_object CHECK (jsonb_typeof(payload) = 'object')
);
SELECT restrict_to_tenant('outbox_facts');
GRANT SELECT, INSERT, DELETE ON outbox_facts TO monigo_app;

-- A fact that a subscriber has not handled yet; it goes in the transaction of what the subscriber does.
-- What failed bears the reason, and is tried again at `runs_at`, an instant of real time.
CREATE TABLE outbox_deliveries (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscriber text NOT NULL,
    subject_id uuid NOT NULL,
    position bigint NOT NULL,
    runs_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    CONSTRAINT outbox_deliveries_pkey
        PRIMARY KEY (org_id, is_test, subscriber, subject_id, position),
    CONSTRAINT outbox_deliveries_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT outbox_deliveries_failed_says_why CHECK ((attempts = 0) = (reason = '')),
    CONSTRAINT outbox_deliveries_reason_is_short CHECK (char_length(reason) <= 500)
);
ALTER TABLE outbox_deliveries ADD CONSTRAINT outbox_deliveries_fact_fkey
    FOREIGN KEY (org_id, is_test, subject_id, position)
    REFERENCES outbox_facts (org_id, is_test, subject_id, position) ON DELETE RESTRICT;
SELECT restrict_to_tenant('outbox_deliveries');
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_deliveries TO monigo_app;
