-- What was billed and what was paid in some days, without a look at the invoices themselves.
CREATE INDEX invoices_by_finalizing ON invoices (org_id, is_test, finalized_at)
    INCLUDE (plan_type, status, currency, total, amount_paid) WHERE finalized_at IS NOT NULL;
CREATE INDEX invoices_by_payment ON invoices (org_id, is_test, paid_at)
    INCLUDE (plan_type, currency, total) WHERE paid_at IS NOT NULL;
CREATE INDEX invoices_owed_to_payees ON invoices (org_id, is_test)
    INCLUDE (currency, total, amount_paid)
    WHERE plan_type = 'payout' AND status IN ('finalized', 'payment_failed');
CREATE INDEX subscriptions_waiting_for_balance ON subscriptions (org_id, is_test, id)
    WHERE pause_reason = 'insufficient_balance';
ALTER TABLE organizations ADD CONSTRAINT organizations_member_credit_limit_in_bounds
    CHECK ((limits ->> 'member_credit_limit')::numeric BETWEEN 0 AND 1000000000000000);
