-- What a provider decided stays so.

-- A success may follow anything, for money counts whatever stood before; only a reversal takes it back.
CREATE OR REPLACE FUNCTION keep_charge_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a charge stays'
                USING ERRCODE = '23514', CONSTRAINT = 'charges_stay';
        END IF;
        RETURN old;
    END IF;
    IF old.state IN ('succeeded', 'failed', 'reversed') AND old.state <> new.state
        AND new.state <> 'succeeded' AND NOT (old.state = 'succeeded' AND new.state = 'reversed')
        AND NOT (old.state = 'failed' AND new.state = 'reversed')
    THEN
        RAISE EXCEPTION 'a charge cannot go from % to %', old.state, new.state
            USING ERRCODE = '23514', CONSTRAINT = 'charges_state_moves_forward';
    END IF;
    IF (old.kind, old.purpose, old.customer_id, old.invoice_id, old.wallet_id, old.top_up_id,
            old.connection_id, old.method_id, old.reference, old.currency, old.amount)
        IS DISTINCT FROM
        (new.kind, new.purpose, new.customer_id, new.invoice_id, new.wallet_id, new.top_up_id,
            new.connection_id, new.method_id, new.reference, new.currency, new.amount)
    THEN
        RAISE EXCEPTION 'what was asked for stays as it is'
            USING ERRCODE = '23514', CONSTRAINT = 'charges_ask_for_the_same';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_charge_forward BEFORE UPDATE OR DELETE ON charges
    FOR EACH ROW EXECUTE FUNCTION keep_charge_forward();

-- Money that came stays what it was, and where it went. Only what a person said came may get the provider's
-- id later, and what fitted nothing may turn out to be somebody's, as long as it is not going back.
CREATE OR REPLACE FUNCTION keep_payment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a payment stays'
                USING ERRCODE = '23514', CONSTRAINT = 'payments_stay';
        END IF;
        RETURN old;
    END IF;
    IF (old.connection_id, old.currency, old.amount)
        IS DISTINCT FROM (new.connection_id, new.currency, new.amount)
        OR ((old.purpose <> 'unmatched' OR old.refunded + old.reversed > 0)
            AND (old.kind, old.purpose, old.charge_id, old.virtual_account_id, old.customer_id)
            IS DISTINCT FROM
            (new.kind, new.purpose, new.charge_id, new.virtual_account_id, new.customer_id))
        OR (old.provider_id <> new.provider_id AND NOT old.is_by_person)
        OR (old.to_invoice + old.to_wallet > 0
            AND (old.to_invoice, old.to_wallet, old.invoice_id, old.wallet_id)
            IS DISTINCT FROM (new.to_invoice, new.to_wallet, new.invoice_id, new.wallet_id))
        OR new.reversed < old.reversed
    THEN
        RAISE EXCEPTION 'a payment stays what it was'
            USING ERRCODE = '23514', CONSTRAINT = 'payments_stay_what_they_were';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_payment BEFORE UPDATE OR DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION keep_payment();

-- A refund that failed was not made, unless the provider says later that it was.
CREATE OR REPLACE FUNCTION keep_refund_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a refund stays'
                USING ERRCODE = '23514', CONSTRAINT = 'refunds_stay';
        END IF;
        RETURN old;
    END IF;
    IF old.state IN ('succeeded', 'failed') AND old.state <> new.state AND new.state <> 'succeeded'
    THEN
        RAISE EXCEPTION 'a refund cannot go from % to %', old.state, new.state
            USING ERRCODE = '23514', CONSTRAINT = 'refunds_state_moves_forward';
    END IF;
    IF (old.payment_id, old.invoice_id, old.reference, old.currency, old.amount, old.destination)
        IS DISTINCT FROM
        (new.payment_id, new.invoice_id, new.reference, new.currency, new.amount, new.destination)
    THEN
        RAISE EXCEPTION 'what is refunded stays as it is'
            USING ERRCODE = '23514', CONSTRAINT = 'refunds_give_back_the_same';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_refund_forward BEFORE UPDATE OR DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION keep_refund_forward();

-- A transfer that a provider says was paid is paid, whatever stood before; only a reversal takes it back, for
-- good. What may have left is never as unsent again, unless the provider refused it.
CREATE OR REPLACE FUNCTION keep_transfer_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a transfer stays'
                USING ERRCODE = '23514', CONSTRAINT = 'transfers_stay';
        END IF;
        RETURN old;
    END IF;
    IF old.state IN ('succeeded', 'failed', 'reversed') AND old.state <> new.state
        AND NOT (old.state = 'failed' AND new.state IN ('succeeded', 'reversed'))
        AND NOT (old.state = 'succeeded' AND new.state = 'reversed')
        OR old.state IN ('pending', 'unknown', 'needs_action')
            AND new.state IN ('created', 'submitted')
    THEN
        RAISE EXCEPTION 'a transfer cannot go from % to %', old.state, new.state
            USING ERRCODE = '23514', CONSTRAINT = 'transfers_state_moves_forward';
    END IF;
    IF (old.leg_id, old.bill_id, old.customer_id, old.payout_account_id, old.payout_method,
            old.bank_code, old.account_name, old.number_ciphertext, old.connection_id, old.attempt,
            old.reference, old.currency, old.amount)
        IS DISTINCT FROM
        (new.leg_id, new.bill_id, new.customer_id, new.payout_account_id, new.payout_method,
            new.bank_code, new.account_name, new.number_ciphertext, new.connection_id, new.attempt,
            new.reference, new.currency, new.amount)
    THEN
        RAISE EXCEPTION 'what is sent stays as it is'
            USING ERRCODE = '23514', CONSTRAINT = 'transfers_send_the_same';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_transfer_forward BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION keep_transfer_forward();
