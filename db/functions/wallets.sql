-- Wallets as they stand, how they are locked, and what of them stays as it is.

-- A wallet with what its accounts hold. Its reader's own rights and row-level security apply.
CREATE OR REPLACE VIEW wallet_states WITH (security_invoker = true) AS
SELECT wallet.org_id, wallet.is_test, wallet.id, wallet.customer_id, wallet.currency, wallet.status,
    wallet.money_account_id, wallet.reserved_account_id, wallet.provider_account_id,
    wallet.revenue_account_id, wallet.created_at,
    greatest(wallet.updated_at, money.moved_at, reserved.moved_at) AS updated_at,
    money.balance, reserved.balance AS reserved_balance, money.sequence AS entries,
    wallet.top_up_threshold, wallet.excess,
    EXISTS (
        SELECT 1 FROM balance_watchers AS watcher
        WHERE watcher.org_id = wallet.org_id AND watcher.is_test = wallet.is_test
    ) AS is_watched
FROM wallets AS wallet
JOIN ledger_accounts AS money
    ON money.org_id = wallet.org_id AND money.is_test = wallet.is_test
    AND money.id = wallet.money_account_id
JOIN ledger_accounts AS reserved
    ON reserved.org_id = wallet.org_id AND reserved.is_test = wallet.is_test
    AND reserved.id = wallet.reserved_account_id;
GRANT SELECT ON wallet_states TO monigo_app;

-- What a function answers cannot be replaced. Both are made again in this transaction.
-- squawk-ignore ban-drop-function
DROP FUNCTION IF EXISTS lock_wallets;
-- squawk-ignore ban-drop-function
DROP FUNCTION IF EXISTS lock_wallets_of_owners;

-- Locks wallets in the order of their ids and returns them as of then. Also whether any of these keys was used
-- before in the wallet beside it (who looks for a key before the lock may miss the use that held it), and
-- whether these API keys still are of this mode, expire when they did (never is infinity), have the same
-- scopes, in one text each, are neither revoked nor switched off, and of an organisation that is not suspended.
-- As in `post_ledger_transfers`, one plan serves arrays of all lengths.
CREATE OR REPLACE FUNCTION lock_wallets(
    organization uuid, test boolean, wallet_ids uuid[], key_wallet_ids uuid[], keys text[],
    api_key_ids uuid[], api_key_expiries timestamptz[], api_key_scopes text[]
) RETURNS TABLE (
    id uuid, customer_id uuid, currency text, status text, money_account_id uuid,
    reserved_account_id uuid, provider_account_id uuid, revenue_account_id uuid,
    created_at timestamptz, updated_at timestamptz, balance numeric, reserved_balance numeric,
    entries bigint, top_up_threshold numeric, excess numeric, is_watched boolean,
    is_any_key_used boolean, are_api_keys_same boolean
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    is_used boolean := false;
    are_same boolean := true;
BEGIN
    PERFORM 1 FROM public.wallets
    WHERE org_id = organization AND is_test = test AND id = ANY ((SELECT wallet_ids)::uuid[])
    ORDER BY id
    FOR NO KEY UPDATE;
    IF cardinality(keys) > 0 THEN
        -- OFFSET 0 has each key looked up in the index, whatever number of keys the plan was made for.
        is_used := EXISTS (
            SELECT 1
            FROM unnest((SELECT key_wallet_ids), (SELECT keys)) AS asked (wallet_id, idempotency_key)
            WHERE EXISTS (
                SELECT 1 FROM public.ledger_requests AS used
                WHERE used.org_id = organization AND used.is_test = test
                    AND used.scope = asked.wallet_id
                    AND used.idempotency_key = asked.idempotency_key
                OFFSET 0
            )
        );
    END IF;
    IF cardinality(api_key_ids) > 0 THEN
        are_same := cardinality(api_key_ids) = (
            SELECT count(*)
            FROM unnest(
                (SELECT api_key_ids), (SELECT api_key_expiries), (SELECT api_key_scopes)
            ) AS known (id, expires_at, scopes)
            JOIN public.api_keys AS key
                ON key.org_id = organization AND key.id = ANY ((SELECT api_key_ids)::uuid[])
                AND key.id = known.id
                AND key.is_test_mode = test
                AND coalesce(key.expires_at, 'infinity') = known.expires_at
                AND array_to_string(key.scopes, ' ') = known.scopes
            WHERE key.revoked_at IS NULL AND key.disabled_at IS NULL
        ) AND NOT EXISTS (
            SELECT 1 FROM public.organizations
            WHERE org_id = organization AND suspended_at IS NOT NULL
        );
    END IF;
    RETURN QUERY
    SELECT state.id, state.customer_id, state.currency, state.status, state.money_account_id,
        state.reserved_account_id, state.provider_account_id, state.revenue_account_id,
        state.created_at, state.updated_at, state.balance::numeric, state.reserved_balance::numeric,
        state.entries::bigint, state.top_up_threshold, state.excess::numeric, state.is_watched,
        is_used, are_same
    FROM public.wallet_states AS state
    WHERE state.org_id = organization AND state.is_test = test
        AND state.id = ANY ((SELECT wallet_ids)::uuid[]);
END
$$;
REVOKE ALL ON FUNCTION lock_wallets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_wallets TO monigo_app;

-- As `lock_wallets`, the wallets of customers in currencies, which stand side by side.
CREATE OR REPLACE FUNCTION lock_wallets_of_owners(
    organization uuid, test boolean, customer_ids uuid[], currencies text[]
) RETURNS TABLE (
    id uuid, customer_id uuid, currency text, status text, money_account_id uuid,
    reserved_account_id uuid, provider_account_id uuid, revenue_account_id uuid,
    created_at timestamptz, updated_at timestamptz, balance numeric, reserved_balance numeric,
    entries bigint, top_up_threshold numeric, excess numeric, is_watched boolean
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    wallet_ids uuid[] := ARRAY(
        SELECT wallet.id
        FROM public.wallets AS wallet
        WHERE wallet.org_id = organization AND wallet.is_test = test
            AND (wallet.customer_id, wallet.currency) IN (
                SELECT owner.customer_id, owner.currency
                FROM unnest(customer_ids, currencies) AS owner (customer_id, currency)
            )
    );
BEGIN
    RETURN QUERY
    SELECT locked.id, locked.customer_id, locked.currency, locked.status, locked.money_account_id,
        locked.reserved_account_id, locked.provider_account_id, locked.revenue_account_id,
        locked.created_at, locked.updated_at, locked.balance, locked.reserved_balance,
        locked.entries, locked.top_up_threshold, locked.excess, locked.is_watched
    FROM public.lock_wallets(
        organization, test, wallet_ids, '{}', '{}', '{}', '{}', '{}'
    ) AS locked;
END
$$;
REVOKE ALL ON FUNCTION lock_wallets_of_owners FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_wallets_of_owners TO monigo_app;

-- A wallet is closed only when it is empty.
CREATE OR REPLACE FUNCTION keep_closed_wallet_empty() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF new.status = 'closed' AND EXISTS (
        SELECT 1 FROM ledger_accounts
        WHERE org_id = new.org_id AND is_test = new.is_test
            AND id IN (new.money_account_id, new.reserved_account_id) AND balance <> 0
    ) THEN
        RAISE EXCEPTION 'a wallet with money does not close'
            USING ERRCODE = '23514', CONSTRAINT = 'wallets_closed_is_empty';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_closed_wallet_empty BEFORE INSERT OR UPDATE ON wallets
    FOR EACH ROW EXECUTE FUNCTION keep_closed_wallet_empty();

-- What a reservation came to stays so.
CREATE OR REPLACE FUNCTION keep_settled_reservation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF old.status <> 'open' THEN
        RAISE EXCEPTION 'a settled reservation does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_reservations_settled_once';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_settled_reservation BEFORE UPDATE ON wallet_reservations
    FOR EACH ROW EXECUTE FUNCTION keep_settled_reservation();

-- A revocation is made once.
CREATE OR REPLACE FUNCTION keep_revoked_grant() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a revoked grant stays revoked'
        USING ERRCODE = '23514', CONSTRAINT = 'credit_grants_revoked_once';
END
$$;
CREATE OR REPLACE TRIGGER keep_revoked_grant BEFORE UPDATE ON credit_grants
    FOR EACH ROW
    WHEN (old.revoked_at IS NOT NULL AND old.revoked_at IS DISTINCT FROM new.revoked_at)
    EXECUTE FUNCTION keep_revoked_grant();

-- What a request came to stays so.
CREATE OR REPLACE FUNCTION keep_settled_top_up() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF old.status <> 'open' THEN
        RAISE EXCEPTION 'a settled top-up does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_top_ups_settled_once';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_settled_top_up BEFORE UPDATE ON wallet_top_ups
    FOR EACH ROW EXECUTE FUNCTION keep_settled_top_up();
