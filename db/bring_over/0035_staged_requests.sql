-- Requests that call the outside between their transactions: their intent is stored and claimed, so
-- that a repeat knows of it while it runs, and takes it over where its process died.

ALTER TABLE idempotency_records ALTER COLUMN status DROP NOT NULL;
ALTER TABLE idempotency_records ALTER COLUMN response_body DROP NOT NULL;
-- What the first transaction decided to do; gone once the request is answered.
ALTER TABLE idempotency_records ADD COLUMN intent jsonb;
-- Which attempt is at it, and until when it is believed to live.
ALTER TABLE idempotency_records ADD COLUMN claimed_by uuid;
ALTER TABLE idempotency_records ADD COLUMN claimed_until timestamptz;
ALTER TABLE idempotency_records ADD CONSTRAINT idempotency_records_answer_is_whole
    CHECK ((status IS NULL) = (response_body IS NULL));
ALTER TABLE idempotency_records ADD CONSTRAINT idempotency_records_intent_until_answered
    CHECK ((intent IS NULL) = (status IS NOT NULL));
ALTER TABLE idempotency_records ADD CONSTRAINT idempotency_records_claim_is_whole
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL));
ALTER TABLE idempotency_records ADD CONSTRAINT idempotency_records_answered_is_unclaimed
    CHECK (status IS NULL OR claimed_by IS NULL);
