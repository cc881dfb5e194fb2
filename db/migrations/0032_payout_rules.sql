-- Payout rules: what events are worth to a customer whom they name in a property.
-- Metrics are few: checking them takes no time that anybody notices, and a rule stands in for one that goes.
-- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid

ALTER TABLE metrics ADD COLUMN value_expression text DEFAULT '' NOT NULL;
ALTER TABLE metrics ADD COLUMN customer_property text DEFAULT '' NOT NULL;
ALTER TABLE metrics DROP CONSTRAINT metrics_property_where_needed;
ALTER TABLE metrics ADD CONSTRAINT metrics_value_where_needed CHECK (
    CASE WHEN value_expression <> '' THEN aggregation = 'sum' AND aggregation_property = ''
    ELSE aggregation = 'count' OR aggregation_property <> '' END
) NOT VALID;
ALTER TABLE metrics VALIDATE CONSTRAINT metrics_value_where_needed;
ALTER TABLE metrics ADD CONSTRAINT metrics_rule_names_its_recipient CHECK (
    (value_expression = '') = (customer_property = '')
) NOT VALID;
ALTER TABLE metrics VALIDATE CONSTRAINT metrics_rule_names_its_recipient;
ALTER TABLE metrics ADD CONSTRAINT metrics_rule_never_changes CHECK (
    value_expression = '' OR (version = 1 AND group_by = '')
) NOT VALID;
ALTER TABLE metrics VALIDATE CONSTRAINT metrics_rule_never_changes;
COMMENT ON COLUMN metrics.value_expression IS 'of a payout rule: what an event is worth; else empty';
COMMENT ON COLUMN metrics.customer_property
    IS 'of a payout rule: the property in which an event names whom it pays; else empty';

ALTER TABLE metric_versions ADD COLUMN value_expression text DEFAULT '' NOT NULL;
ALTER TABLE metric_versions ADD COLUMN customer_property text DEFAULT '' NOT NULL;

-- What an event is worth by a payout rule, and to whom; once for each event and rule.
--
-- As with events, no foreign key to customers: a check for each row would cost more than the row.
CREATE TABLE attributed_amounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    metric_id uuid NOT NULL,
    dedup uuid NOT NULL,
    customer_id uuid,
    recipient text NOT NULL,
    occurred_at timestamptz NOT NULL,
    attributed_at timestamptz NOT NULL,
    amount numeric(30, 12),
    fault text NOT NULL,
    CONSTRAINT attributed_amounts_pkey PRIMARY KEY (org_id, is_test, metric_id, dedup),
    CONSTRAINT attributed_amounts_waits_for_recipient CHECK (
        CASE WHEN customer_id IS NULL THEN (recipient = '') = (fault = 'recipient_missing')
        ELSE recipient = '' AND fault <> 'recipient_missing' END
    ),
    CONSTRAINT attributed_amounts_fault_has_no_amount CHECK ((amount IS NULL) = (fault <> '')),
    CONSTRAINT attributed_amounts_fault_known CHECK (
        fault IN (
            '', 'property_missing', 'not_a_number', 'division_by_zero', 'too_large',
            'recipient_missing'
        )
    ),
    CONSTRAINT attributed_amounts_recipient_in_bounds CHECK (length(recipient) <= 255)
);
COMMENT ON COLUMN attributed_amounts.dedup IS 'of the event';
COMMENT ON COLUMN attributed_amounts.recipient IS 'whom the event names, while that is no customer; else empty';
COMMENT ON COLUMN attributed_amounts.attributed_at IS 'when it was found whose it is, or that it is nobody''s; real time';
SELECT restrict_to_tenant('attributed_amounts');
GRANT SELECT, INSERT ON attributed_amounts TO monigo_app;
-- A recipient becomes a customer; `keep_attribution` sees to it that no customer becomes another.
GRANT UPDATE (customer_id, recipient, attributed_at) ON attributed_amounts TO monigo_app;
-- A customer's id identifies the tenant.
CREATE INDEX attributed_amounts_by_customer_and_time ON attributed_amounts (customer_id, occurred_at)
WHERE customer_id IS NOT NULL;
CREATE INDEX attributed_amounts_waiting ON attributed_amounts (org_id, is_test, recipient)
WHERE customer_id IS NULL;
CREATE INDEX attributed_amounts_at_fault ON attributed_amounts (org_id, is_test, occurred_at)
WHERE fault <> '';
ALTER TABLE attributed_amounts ALTER COLUMN dedup SET STATISTICS 0;
