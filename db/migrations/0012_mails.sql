-- Mails that wait to be sent. They contain codes and links, so they are stored encrypted.
CREATE TABLE mails (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    written_at timestamptz NOT NULL,
    CONSTRAINT mails_pkey PRIMARY KEY (org_id, is_test, id)
);
SELECT restrict_to_tenant('mails');
GRANT SELECT, INSERT, DELETE ON mails TO monigo_app;
