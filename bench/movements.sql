-- What movements are measured against. `bare_*`: one statement that updates two accounts and inserts
-- one chained transfer, no rules, no tenants. `plain_*`: a ledger in SQL functions as pgledger has it,
-- with entries of their own, one row lock after the other.
CREATE TABLE bare_accounts (
    id integer PRIMARY KEY,
    balance numeric(24, 6) NOT NULL,
    sequence bigint NOT NULL,
    chain_hash bytea NOT NULL
);
CREATE TABLE bare_transfers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    from_id integer NOT NULL,
    to_id integer NOT NULL,
    amount numeric(24, 6) NOT NULL,
    from_balance numeric(24, 6) NOT NULL,
    to_balance numeric(24, 6) NOT NULL,
    from_sequence bigint NOT NULL,
    to_sequence bigint NOT NULL,
    from_hash bytea NOT NULL,
    to_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (from_id, from_sequence),
    UNIQUE (to_id, to_sequence)
);
INSERT INTO bare_accounts SELECT id, 1000000, 0, sha256('') FROM generate_series(0, 2001) AS id;

CREATE TABLE plain_accounts (
    id integer PRIMARY KEY,
    name text NOT NULL,
    currency text NOT NULL,
    balance numeric NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE plain_transfers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    from_id integer NOT NULL REFERENCES plain_accounts (id),
    to_id integer NOT NULL REFERENCES plain_accounts (id),
    amount numeric NOT NULL CHECK (amount > 0),
    created_at timestamptz NOT NULL,
    event_at timestamptz NOT NULL,
    metadata jsonb
);
CREATE INDEX ON plain_transfers (from_id);
CREATE INDEX ON plain_transfers (to_id);
CREATE INDEX ON plain_transfers (event_at);
CREATE TABLE plain_entries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id integer NOT NULL REFERENCES plain_accounts (id),
    transfer_id uuid NOT NULL REFERENCES plain_transfers (id),
    amount numeric NOT NULL,
    balance_before numeric NOT NULL,
    balance_after numeric NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON plain_entries (account_id);
CREATE INDEX ON plain_entries (transfer_id);
INSERT INTO plain_accounts
SELECT id, 'account', 'NGN', 1000000, 0, now() FROM generate_series(0, 2001) AS id;

CREATE FUNCTION plain_transfer(source integer, target integer, moved numeric) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    locked integer;
    source_after plain_accounts;
    target_after plain_accounts;
    made uuid;
BEGIN
    FOREACH locked IN ARRAY ARRAY[least(source, target), greatest(source, target)] LOOP
        PERFORM 1 FROM plain_accounts WHERE id = locked FOR UPDATE;
    END LOOP;
    UPDATE plain_accounts
    SET balance = balance - moved, version = version + 1, updated_at = now()
    WHERE id = source RETURNING * INTO source_after;
    UPDATE plain_accounts
    SET balance = balance + moved, version = version + 1, updated_at = now()
    WHERE id = target RETURNING * INTO target_after;
    IF source_after.currency <> target_after.currency OR source_after.balance < 0 THEN
        RAISE EXCEPTION 'refused';
    END IF;
    INSERT INTO plain_transfers (from_id, to_id, amount, created_at, event_at)
    VALUES (source, target, moved, now(), now()) RETURNING id INTO made;
    INSERT INTO plain_entries (
        account_id, transfer_id, amount, balance_before, balance_after, version, created_at
    )
    VALUES (
        source, made, -moved, source_after.balance + moved, source_after.balance,
        source_after.version, now()
    );
    INSERT INTO plain_entries (
        account_id, transfer_id, amount, balance_before, balance_after, version, created_at
    )
    VALUES (
        target, made, moved, target_after.balance - moved, target_after.balance,
        target_after.version, now()
    );
    RETURN made;
END
$$;
