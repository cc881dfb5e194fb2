-- That a transfer's accounts exist, of its tenant and currency, and stay, is looked at once for each
-- statement. As foreign keys it was looked at for each row and side, which took a seventh of
-- PostgreSQL's time of a movement.

CREATE FUNCTION check_accounts_of_transfers() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    offending record;
BEGIN
    -- OFFSET 0 has each account looked up by its key, whatever number of rows the plan was made for.
    IF NOT EXISTS (
        SELECT 1 FROM made
        WHERE NOT EXISTS (
            SELECT 1 FROM public.ledger_accounts AS account
            WHERE account.org_id = made.org_id AND account.is_test = made.is_test
                AND account.id = made.from_account_id AND account.currency = made.currency
            OFFSET 0
        ) OR NOT EXISTS (
            SELECT 1 FROM public.ledger_accounts AS account
            WHERE account.org_id = made.org_id AND account.is_test = made.is_test
                AND account.id = made.to_account_id AND account.currency = made.currency
            OFFSET 0
        )
    ) THEN
        RETURN NULL;
    END IF;
    SELECT side.account_id, made.currency, side.name INTO STRICT offending
    FROM made
    CROSS JOIN LATERAL (
        VALUES ('from', made.from_account_id), ('to', made.to_account_id)
    ) AS side (name, account_id)
    WHERE NOT EXISTS (
        SELECT 1 FROM public.ledger_accounts AS account
        WHERE account.org_id = made.org_id AND account.is_test = made.is_test
            AND account.id = side.account_id AND account.currency = made.currency
    )
    ORDER BY side.name
    LIMIT 1;
    RAISE EXCEPTION 'no account % in %', offending.account_id, offending.currency
        USING ERRCODE = '23503',
        CONSTRAINT = format('ledger_transfers_%s_account_fkey', offending.name);
END
$$;
CREATE TRIGGER check_accounts_of_new_transfers AFTER INSERT ON ledger_transfers
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION check_accounts_of_transfers();
CREATE TRIGGER check_accounts_of_changed_transfers AFTER UPDATE ON ledger_transfers
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION check_accounts_of_transfers();

-- At the end of the statement, so that a reset may clear both tables in one. No posting adds a transfer
-- of an account meanwhile: it holds its accounts (`post_ledger_transfers`).
CREATE FUNCTION keep_accounts_of_transfers() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    missed uuid;
BEGIN
    SELECT gone.id INTO missed
    FROM gone
    WHERE EXISTS (
        SELECT 1 FROM public.ledger_transfers AS transfer
        WHERE transfer.org_id = gone.org_id AND transfer.is_test = gone.is_test
            AND transfer.from_account_id = gone.id
        OFFSET 0
    ) OR EXISTS (
        SELECT 1 FROM public.ledger_transfers AS transfer
        WHERE transfer.org_id = gone.org_id AND transfer.is_test = gone.is_test
            AND transfer.to_account_id = gone.id
        OFFSET 0
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % has transfers', missed
            USING ERRCODE = '23503', CONSTRAINT = 'ledger_accounts_keep_their_transfers';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_accounts_of_transfers AFTER DELETE ON ledger_accounts
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_accounts_of_transfers();

CREATE FUNCTION keep_ledger_account() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an account stays what it is'
        USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_identity_fixed';
END
$$;
CREATE TRIGGER keep_ledger_account
BEFORE UPDATE OF org_id, is_test, id, currency ON ledger_accounts
FOR EACH ROW WHEN (
    (old.org_id, old.is_test, old.id, old.currency)
    IS DISTINCT FROM (new.org_id, new.is_test, new.id, new.currency)
)
EXECUTE FUNCTION keep_ledger_account();

ALTER TABLE ledger_transfers
    DROP CONSTRAINT ledger_transfers_from_account_fkey,
    DROP CONSTRAINT ledger_transfers_to_account_fkey;
