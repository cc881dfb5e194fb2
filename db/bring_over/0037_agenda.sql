-- The agenda: due work of every kind and tenant in one local table of ids.

-- `due_at` is an instant of the time that the kind follows, `runs_at` of real time: infinity while
-- a test clock stands before `due_at`, or is on its way. Each time that an entry is put it has another
-- version. What failed bears the reason, and is due again later, or never where `due_at` is
-- infinity. `claimed_until` is of work that takes several transactions.
CREATE TABLE agenda (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    due_at timestamptz NOT NULL,
    runs_at timestamptz NOT NULL,
    version bigint NOT NULL,
    attempts integer NOT NULL,
    claimed_until timestamptz,
    reason text NOT NULL,
    CONSTRAINT agenda_pkey PRIMARY KEY (org_id, is_test, kind, subject),
    CONSTRAINT agenda_version_positive CHECK (version > 0),
    CONSTRAINT agenda_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT agenda_set_aside_says_why CHECK ((attempts = 0) = (reason = '')),
    CONSTRAINT agenda_reason_is_short CHECK (char_length(reason) <= 500),
    CONSTRAINT agenda_never_due_never_runs
        CHECK (due_at < 'infinity' OR runs_at = 'infinity')
);
SELECT restrict_to_tenant('agenda');
GRANT SELECT, INSERT, UPDATE, DELETE ON agenda TO monigo_app;
CREATE INDEX agenda_earliest_first ON agenda (org_id, is_test, kind, due_at, subject);
CREATE INDEX agenda_runs_at ON agenda (runs_at) WHERE runs_at < 'infinity';
CREATE INDEX agenda_set_aside ON agenda (org_id, is_test, kind, subject) WHERE attempts > 0;
