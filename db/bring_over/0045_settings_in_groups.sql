-- An organisation's settings in groups, a column of JSON each. What is not there has its usual value,
-- so that another setting needs no other column.

ALTER TABLE organizations ADD COLUMN billing jsonb;
ALTER TABLE organizations ADD COLUMN retention jsonb;
ALTER TABLE organizations ADD COLUMN limits jsonb;
ALTER TABLE organizations ADD COLUMN access jsonb;

UPDATE organizations SET
    billing = jsonb_build_object(
        'timezone', timezone,
        'default_currency', default_currency,
        'available_currencies', available_currencies,
        'vat_enabled', vat_enabled,
        'vat_rate', vat_rate,
        'wht_enabled', wht_enabled,
        'wht_rate', wht_rate,
        'event_ingestion_grace_period_hours', event_ingestion_grace_period_hours,
        'repeated_trials_enabled', repeated_trials_enabled
    ),
    retention = jsonb_build_object('raw_event_retention_days', raw_event_retention_days),
    limits = jsonb_build_object(
        'requests_per_second_max', requests_per_second_max,
        'monthly_event_quota', monthly_event_quota
    ),
    access = '{}';

ALTER TABLE organizations ALTER COLUMN billing SET NOT NULL;
ALTER TABLE organizations ALTER COLUMN retention SET NOT NULL;
ALTER TABLE organizations ALTER COLUMN limits SET NOT NULL;
ALTER TABLE organizations ALTER COLUMN access SET NOT NULL;

ALTER TABLE organizations DROP COLUMN timezone;
ALTER TABLE organizations DROP COLUMN default_currency;
ALTER TABLE organizations DROP COLUMN available_currencies;
ALTER TABLE organizations DROP COLUMN vat_enabled;
ALTER TABLE organizations DROP COLUMN vat_rate;
ALTER TABLE organizations DROP COLUMN wht_enabled;
ALTER TABLE organizations DROP COLUMN wht_rate;
ALTER TABLE organizations DROP COLUMN event_ingestion_grace_period_hours;
ALTER TABLE organizations DROP COLUMN repeated_trials_enabled;
ALTER TABLE organizations DROP COLUMN raw_event_retention_days;
ALTER TABLE organizations DROP COLUMN requests_per_second_max;
ALTER TABLE organizations DROP COLUMN monthly_event_quota;

ALTER TABLE organizations ADD CONSTRAINT organizations_billing_is_an_object
    CHECK (jsonb_typeof(billing) = 'object');
ALTER TABLE organizations ADD CONSTRAINT organizations_retention_is_an_object
    CHECK (jsonb_typeof(retention) = 'object');
ALTER TABLE organizations ADD CONSTRAINT organizations_limits_is_an_object
    CHECK (jsonb_typeof(limits) = 'object');
ALTER TABLE organizations ADD CONSTRAINT organizations_access_is_an_object
    CHECK (jsonb_typeof(access) = 'object');
ALTER TABLE organizations ADD CONSTRAINT organizations_default_currency_available
    CHECK (billing -> 'available_currencies' @> (billing -> 'default_currency'));
ALTER TABLE organizations ADD CONSTRAINT organizations_vat_rate_is_a_percentage
    CHECK ((billing -> 'vat_rate')::numeric BETWEEN 0 AND 100);
ALTER TABLE organizations ADD CONSTRAINT organizations_wht_rate_is_a_percentage
    CHECK ((billing -> 'wht_rate')::numeric BETWEEN 0 AND 100);
ALTER TABLE organizations ADD CONSTRAINT organizations_grace_period_in_bounds
    CHECK ((billing -> 'event_ingestion_grace_period_hours')::integer BETWEEN 0 AND 720);
ALTER TABLE organizations ADD CONSTRAINT organizations_raw_event_retention_in_bounds
    CHECK ((retention ->> 'raw_event_retention_days')::integer BETWEEN 100 AND 36500);
ALTER TABLE organizations ADD CONSTRAINT organizations_request_rate_in_bounds
    CHECK ((limits ->> 'requests_per_second_max')::integer BETWEEN 1 AND 1000000);
ALTER TABLE organizations ADD CONSTRAINT organizations_event_quota_not_negative
    CHECK ((limits ->> 'monthly_event_quota')::bigint >= 0);
