-- Requests are remembered along with their transfers, and in no other way.
REVOKE INSERT ON ledger_requests FROM monigo_app;

-- What was asked under a key, with the transfers that come of it.
CREATE TYPE ledger_request AS (
    scope uuid, idempotency_key text, content_hash bytea, transfer_ids uuid[], result jsonb
);
