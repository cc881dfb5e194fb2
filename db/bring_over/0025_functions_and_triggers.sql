-- Functions, triggers and views go, for db/functions make them anew at the end. What an index is made of
-- stays (`override_slot`).

DROP FUNCTION check_accounts_of_transfers, keep_accounts_of_transfers, keep_ledger_account CASCADE;

DROP FUNCTION keep_final_invoice, keep_final_lines, keep_clock_forward CASCADE;

DROP FUNCTION keep_closed_wallet_empty, keep_settled_reservation, keep_settled_top_up CASCADE;

DROP FUNCTION fn_pgqueuer_changed CASCADE;

DROP FUNCTION event_group, event_matches, event_number, event_value, json_number;

DROP FUNCTION move_without_question, find_wallets, lock_wallets;

DROP FUNCTION post_ledger_transfers, refuse_ledger_accounts, ledger_chain_link, ledger_transfer_content;

DROP FUNCTION reset_test_data, is_reset, make_tenant_table, distribute_table;

DROP VIEW wallet_states;

DROP TYPE wallet_movement;

-- As in db/migrations/0001_infra.sql.
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
