-- What operators need to begin with, and the figures of the start page.

-- People who run the platform; whose organisations these are is another matter.
CREATE TABLE platform_admins (
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT platform_admins_pkey PRIMARY KEY (user_id)
);
ALTER TABLE platform_admins ADD CONSTRAINT platform_admins_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT restrict_to_people('platform_admins');
GRANT SELECT, INSERT ON platform_admins TO monigo_app;

-- What an organisation has done of the first steps, whichever mode it was in. Once done, a step stays done.
CREATE TABLE onboarding_steps (
    org_id uuid NOT NULL,
    step text NOT NULL,
    completed_at timestamptz NOT NULL,
    is_by_hand boolean NOT NULL,
    CONSTRAINT onboarding_steps_pkey PRIMARY KEY (org_id, step),
    CONSTRAINT onboarding_steps_step_known CHECK (
        step IN (
            'customer', 'metric', 'plan', 'subscription', 'event', 'invoice', 'connection',
            'webhook', 'live_key'
        )
    )
);
ALTER TABLE onboarding_steps ADD CONSTRAINT onboarding_steps_organization_fkey
    FOREIGN KEY (org_id) REFERENCES organizations (org_id) ON DELETE RESTRICT;
SELECT restrict_to_tenant('onboarding_steps');
GRANT SELECT, INSERT ON onboarding_steps TO monigo_app;

-- How many events happened in the quarter of an hour since an instant, whatever counts them; folding adds
-- each batch to it once. Days begin at a full quarter in every time zone there is.
CREATE TABLE event_volumes (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    since timestamptz NOT NULL,
    event_count bigint NOT NULL,
    CONSTRAINT event_volumes_pkey PRIMARY KEY (org_id, is_test, since),
    CONSTRAINT event_volumes_begin_at_a_quarter_hour
        CHECK (date_bin('15 minutes', since, '2000-01-01 00:00Z') = since),
    CONSTRAINT event_volumes_not_empty CHECK (event_count > 0)
) WITH (fillfactor = 50);
SELECT restrict_to_tenant('event_volumes');
GRANT SELECT, INSERT, UPDATE ON event_volumes TO monigo_app;
INSERT INTO event_volumes (org_id, is_test, since, event_count)
SELECT event.org_id, event.is_test,
    date_bin('15 minutes', event.occurred_at, '2000-01-01 00:00Z') AS since, count(*)
FROM usage_events AS event
WHERE NOT EXISTS (
    SELECT 1 FROM unfolded_batches AS batch
    WHERE batch.org_id = event.org_id AND batch.is_test = event.is_test
        AND batch.batch_id = event.batch_id
)
GROUP BY event.org_id, event.is_test, since;

-- Customers who had far fewer events of late than before, as they were last looked for.
CREATE TABLE usage_declines (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    recent_events bigint NOT NULL,
    usual_events numeric(38, 12) NOT NULL,
    noted_at timestamptz NOT NULL,
    CONSTRAINT usage_declines_pkey PRIMARY KEY (org_id, is_test, customer_id),
    CONSTRAINT usage_declines_below_half
        CHECK (recent_events >= 0 AND 2 * recent_events < usual_events)
);
COMMENT ON COLUMN usage_declines.recent_events IS 'of the last seven days';
COMMENT ON COLUMN usage_declines.usual_events IS 'a week''s, of the 28 days before';
SELECT restrict_to_tenant('usage_declines');
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_declines TO monigo_app;
ALTER TABLE usage_declines ADD CONSTRAINT usage_declines_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;

-- What a member, who may credit wallets within a limit only, has credited in a day of the organisation's.
CREATE TABLE member_credits (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    user_id uuid NOT NULL,
    day date NOT NULL,
    currency text NOT NULL,
    credited numeric(24, 6) NOT NULL,
    credit_limit numeric(24, 6) NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT member_credits_pkey PRIMARY KEY (org_id, is_test, user_id, day, currency),
    CONSTRAINT member_credits_within_limit
        CHECK (credited > 0 AND credited <= credit_limit AND credit_limit <> 'NaN')
);
COMMENT ON COLUMN member_credits.credit_limit IS 'the limit under which the last of it was credited';
SELECT restrict_to_tenant('member_credits');
GRANT SELECT, INSERT, UPDATE ON member_credits TO monigo_app;
