-- Mails that wait to be sent. They hold codes and links, so that they are sealed: only ids and bytes.
CREATE TABLE mails (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    written_at timestamptz NOT NULL,
    CONSTRAINT mails_pkey PRIMARY KEY (org_id, is_test, id)
);
SELECT hold_to_tenant('mails');
GRANT SELECT, INSERT, DELETE ON mails TO monigo_app;
