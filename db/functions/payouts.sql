-- What of a bill goes where, and no more than the bill is over.

-- Legs are written for whole bills at once, so that their sum is looked at once for a statement.
CREATE OR REPLACE FUNCTION keep_legs_within_bill() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT leg.org_id, leg.is_test, array_agg(DISTINCT leg.bill_id) AS bill_ids
        FROM touched AS leg
        GROUP BY leg.org_id, leg.is_test
    LOOP
        IF EXISTS (
            SELECT 1
            FROM public.invoices AS bill
            CROSS JOIN LATERAL (
                SELECT sum(leg.amount) AS amount FROM public.payout_legs AS leg
                WHERE leg.org_id = changed.org_id AND leg.is_test = changed.is_test
                    AND leg.bill_id = bill.id
            ) AS made
            WHERE bill.org_id = changed.org_id AND bill.is_test = changed.is_test
                AND bill.id = ANY (changed.bill_ids)
                AND (made.amount > bill.total OR bill.plan_type <> 'payout'
                    OR bill.status = 'draft')
        ) THEN
            RAISE EXCEPTION 'legs are of a final bill, and come to no more than it'
                USING ERRCODE = '23514', CONSTRAINT = 'payout_legs_within_bill';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER keep_legs_within_bill AFTER INSERT ON payout_legs
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_legs_within_bill();

-- A leg is given to a transfer only while no other has it, so that it is not sent twice. What arrived may come
-- back, and is owed again; a transfer that arrives after all pays a leg whatever it was.
CREATE OR REPLACE FUNCTION keep_leg_sent_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF new.state = 'sending' AND old.state <> 'owed'
        AND (old.state <> 'sending' OR old.transfer_id <> new.transfer_id)
    THEN
        RAISE EXCEPTION 'a leg that is % is not sent', old.state
            USING ERRCODE = '23514', CONSTRAINT = 'payout_legs_sent_once';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_leg_sent_once BEFORE UPDATE ON payout_legs
    FOR EACH ROW EXECUTE FUNCTION keep_leg_sent_once();
