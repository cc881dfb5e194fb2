-- What payees have beside what was owed to them is listed: in the report of what customers owe, on the start page.

-- Few parts are in excess. Databases that have rows are migrated while nothing runs.
-- squawk-ignore-file require-concurrent-index-creation

CREATE INDEX payout_parts_in_excess ON payout_parts (org_id, is_test, transfer_id) WHERE is_excess;
CREATE INDEX payouts_that_lack_something ON payouts (org_id, is_test, customer_id)
    WHERE state IN ('due', 'blocked');
