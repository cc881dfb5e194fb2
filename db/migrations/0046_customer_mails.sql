-- Mails to customers in the organisation's name, what became of them, and addresses that get none.
-- Customers are many: the language's check is validated in a file of its own.

ALTER TABLE organizations ADD COLUMN mails jsonb DEFAULT '{}' NOT NULL;
ALTER TABLE organizations ADD CONSTRAINT organizations_mails_is_an_object
    CHECK (jsonb_typeof(mails) = 'object') NOT VALID;

ALTER TABLE customers ADD COLUMN locale text DEFAULT '' NOT NULL;
ALTER TABLE customers ADD CONSTRAINT customers_locale_is_a_tag
    CHECK (locale ~ '^([a-z]{2,3}(-([A-Z]{2}|[0-9]{3}))?)?$') NOT VALID;
COMMENT ON COLUMN customers.locale IS 'the BCP 47 tag of the language to write in; empty: the organisation''s';

CREATE TABLE customer_mails (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    fact_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    type text NOT NULL,
    occasion jsonb NOT NULL,
    status text NOT NULL,
    reason text DEFAULT '' NOT NULL,
    recipient text DEFAULT '' NOT NULL,
    locale text DEFAULT '' NOT NULL,
    subject text DEFAULT '' NOT NULL,
    created_at timestamptz NOT NULL,
    send_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT customer_mails_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT customer_mails_once_for_a_fact UNIQUE (org_id, is_test, fact_id),
    CONSTRAINT customer_mails_status_known
        CHECK (status IN ('waiting', 'sending', 'sent', 'not_sent')),
    CONSTRAINT customer_mails_settled_has_its_time
        CHECK ((status IN ('sent', 'not_sent')) = (settled_at IS NOT NULL)),
    CONSTRAINT customer_mails_not_sent_says_why CHECK ((status = 'not_sent') = (reason <> '')),
    CONSTRAINT customer_mails_sent_to_somebody
        CHECK (status NOT IN ('sending', 'sent') OR recipient <> ''),
    CONSTRAINT customer_mails_not_sent_before_made CHECK (send_at >= created_at)
);
COMMENT ON COLUMN customer_mails.fact_id IS 'of the outbox, which keeps facts for a shorter time';
COMMENT ON COLUMN customer_mails.occasion IS 'what the mail is to say, as the fact had it';
COMMENT ON COLUMN customer_mails.created_at IS 'instants are of real time';
COMMENT ON COLUMN customer_mails.send_at IS 'when it may be sent by the limit on a customer''s mails in an hour';
SELECT restrict_to_tenant('customer_mails');
GRANT SELECT, INSERT, DELETE ON customer_mails TO monigo_app;
-- What it is about, and for whom, never changes.
GRANT UPDATE (status, reason, recipient, locale, subject, settled_at) ON customer_mails TO monigo_app;
ALTER TABLE customer_mails ADD CONSTRAINT customer_mails_customer_fkey
    FOREIGN KEY (org_id, is_test, customer_id) REFERENCES customers (org_id, is_test, id)
    ON DELETE RESTRICT;
CREATE INDEX customer_mails_by_customer ON customer_mails (org_id, is_test, customer_id, send_at);
CREATE INDEX customer_mails_by_time ON customer_mails (org_id, is_test, created_at, id);

-- Addresses to which an organisation's mails do not go: those of no mailbox, and whose owners want
-- no more notices. By address, so that a customer's other address is none of them.
CREATE TABLE mail_suppressions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT mail_suppressions_pkey PRIMARY KEY (org_id, is_test, id),
    CONSTRAINT mail_suppressions_once_for_a_reason UNIQUE (org_id, is_test, address, reason),
    CONSTRAINT mail_suppressions_reason_known CHECK (reason IN ('bounced', 'unsubscribed')),
    CONSTRAINT mail_suppressions_address_spelled_one_way
        CHECK (address = lower(address) AND length(address) BETWEEN 1 AND 255)
);
COMMENT ON COLUMN mail_suppressions.created_at IS 'real time';
SELECT restrict_to_tenant('mail_suppressions');
GRANT SELECT, INSERT, DELETE ON mail_suppressions TO monigo_app;
CREATE INDEX mail_suppressions_by_time ON mail_suppressions (org_id, is_test, created_at, id);
