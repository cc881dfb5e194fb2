-- People: who they are, how they sign in, and of which organisations they are members. Plain local
-- tables, for a person is of no tenant: what is said in a tenant's transaction reaches none of them.

-- Shows a table's rows to transactions of `people` only, which say so (`people/store.py`).
CREATE FUNCTION hold_to_people(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY people_only ON %s USING (%s)', target,
        $policy$current_setting('app.people', true) = 'on'$policy$
    );
END
$$;

-- A person with a verified e-mail, in the one spelling by which it is compared.
CREATE TABLE users (
    id uuid NOT NULL,
    email text NOT NULL,
    full_name text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_unique UNIQUE (email),
    CONSTRAINT users_email_in_one_spelling CHECK (email = lower(email) AND email <> ''),
    CONSTRAINT users_email_is_short CHECK (char_length(email) <= 254),
    CONSTRAINT users_password_is_hashed CHECK (password_hash LIKE '$argon2id$%')
);
SELECT hold_to_people('users');
GRANT SELECT, INSERT, UPDATE ON users TO monigo_app;

-- Who says that an e-mail is theirs, and with which password it shall be. It blocks nobody.
CREATE TABLE registrations (
    id uuid NOT NULL,
    email text NOT NULL,
    full_name text NOT NULL,
    password_hash text NOT NULL,
    address_mark bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT registrations_pkey PRIMARY KEY (id),
    CONSTRAINT registrations_email_in_one_spelling CHECK (email = lower(email) AND email <> ''),
    CONSTRAINT registrations_password_is_hashed CHECK (password_hash LIKE '$argon2id$%')
);
SELECT hold_to_people('registrations');
GRANT SELECT, INSERT, DELETE ON registrations TO monigo_app;
CREATE INDEX registrations_by_email ON registrations (email, created_at);
CREATE INDEX registrations_by_age ON registrations (created_at);

-- A code (or, where too many were guessed, a link) that was mailed, and the token that a right one is
-- changed for. Of an e-mail that nobody has there are codes, too, so that nothing tells the two apart.
CREATE TABLE email_codes (
    id uuid NOT NULL,
    email text NOT NULL,
    purpose text NOT NULL,
    is_link boolean NOT NULL,
    code_mark bytea NOT NULL,
    registration_id uuid,
    user_id uuid,
    address_mark bytea NOT NULL,
    wrong_tries integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT email_codes_pkey PRIMARY KEY (id),
    CONSTRAINT email_codes_purpose_known
        CHECK (purpose IN ('verify_email', 'reset_password', 'set_password')),
    CONSTRAINT email_codes_mark_is_sha256 CHECK (octet_length(code_mark) = 32),
    CONSTRAINT email_codes_tries_bounded CHECK (wrong_tries BETWEEN 0 AND 5),
    CONSTRAINT email_codes_expire_later CHECK (expires_at > created_at)
);
ALTER TABLE email_codes ADD CONSTRAINT email_codes_registration_fkey
    FOREIGN KEY (registration_id) REFERENCES registrations (id) ON DELETE CASCADE;
ALTER TABLE email_codes ADD CONSTRAINT email_codes_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('email_codes');
GRANT SELECT, INSERT, UPDATE, DELETE ON email_codes TO monigo_app;
-- A new one ends the old.
CREATE UNIQUE INDEX email_codes_one_open ON email_codes (email, purpose) WHERE ended_at IS NULL;
CREATE INDEX email_codes_by_email ON email_codes (email, created_at);
CREATE INDEX email_codes_by_address ON email_codes (address_mark, created_at);
CREATE INDEX email_codes_by_registration ON email_codes (registration_id);
CREATE INDEX email_codes_by_age ON email_codes (created_at);
CREATE INDEX email_codes_by_mark ON email_codes (code_mark) WHERE ended_at IS NULL;

-- Each try to sign in, by marks of the e-mail and the address; what is not said to have succeeded failed.
CREATE TABLE sign_in_attempts (
    id uuid NOT NULL,
    email_mark bytea NOT NULL,
    address_mark bytea NOT NULL,
    succeeded boolean NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id)
);
SELECT hold_to_people('sign_in_attempts');
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO monigo_app;
CREATE INDEX sign_in_attempts_by_email ON sign_in_attempts (email_mark, at);
CREATE INDEX sign_in_attempts_by_address ON sign_in_attempts (address_mark, at);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (at);

-- A device on which a person is signed in. Its refresh tokens are numbered: `generation` is that of
-- the one that counts. When the last few before it were spent tells `spent_at`: for a moment they still
-- get their successor, and what comes later ends the session.
CREATE TABLE sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    salt bytea NOT NULL,
    generation integer NOT NULL,
    rotated_at timestamptz NOT NULL,
    spent_at timestamptz[] NOT NULL,
    user_agent text NOT NULL,
    address text NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    authenticated_at timestamptz NOT NULL,
    second_factor_at timestamptz,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_generation_positive CHECK (generation > 0),
    CONSTRAINT sessions_salt_is_long CHECK (octet_length(salt) = 32),
    CONSTRAINT sessions_expire_after_rotation CHECK (expires_at > rotated_at)
);
ALTER TABLE sessions ADD CONSTRAINT sessions_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO monigo_app;
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- The keys that sign access tokens: the newest signs, the others only let what they signed run out.
CREATE TABLE signing_keys (
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id)
);
SELECT hold_to_people('signing_keys');
GRANT SELECT, INSERT, DELETE ON signing_keys TO monigo_app;

-- An authenticator app of a person, from its first right code on. A code counts once.
CREATE TABLE authenticator_apps (
    user_id uuid NOT NULL,
    sealed bytea NOT NULL,
    last_step bigint NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    CONSTRAINT authenticator_apps_pkey PRIMARY KEY (user_id)
);
ALTER TABLE authenticator_apps ADD CONSTRAINT authenticator_apps_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('authenticator_apps');
GRANT SELECT, INSERT, UPDATE, DELETE ON authenticator_apps TO monigo_app;

-- Codes for whoever has lost the app; each counts once, and is gone then.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL,
    code_mark bytea NOT NULL,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_mark)
);
ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('recovery_codes');
GRANT SELECT, INSERT, DELETE ON recovery_codes TO monigo_app;

-- An authenticator that signs for a person, by a key of its own. `sign_count` is how often it says it
-- has; one that does not count says 0 always.
CREATE TABLE passkeys (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    CONSTRAINT passkeys_pkey PRIMARY KEY (id),
    CONSTRAINT passkeys_credential_unique UNIQUE (credential_id),
    CONSTRAINT passkeys_credential_is_short CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    CONSTRAINT passkeys_sign_count_not_negative CHECK (sign_count >= 0),
    CONSTRAINT passkeys_name_is_short CHECK (char_length(name) BETWEEN 1 AND 100)
);
ALTER TABLE passkeys ADD CONSTRAINT passkeys_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('passkeys');
GRANT SELECT, INSERT, UPDATE, DELETE ON passkeys TO monigo_app;
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- What an authenticator is to sign for a session: to become a passkey, or to show again who is there.
CREATE TABLE passkey_challenges (
    session_id uuid NOT NULL,
    purpose text NOT NULL,
    challenge bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT passkey_challenges_pkey PRIMARY KEY (session_id, purpose),
    CONSTRAINT passkey_challenges_purpose_known CHECK (purpose IN ('register', 'reauthenticate')),
    CONSTRAINT passkey_challenges_challenge_is_long CHECK (octet_length(challenge) = 32)
);
ALTER TABLE passkey_challenges ADD CONSTRAINT passkey_challenges_session_fkey
    FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE;
SELECT hold_to_people('passkey_challenges');
GRANT SELECT, INSERT, UPDATE, DELETE ON passkey_challenges TO monigo_app;

-- A log-in whose password was right, and whose second factor is asked for.
CREATE TABLE sign_in_challenges (
    id uuid NOT NULL,
    token_mark bytea NOT NULL,
    passkey_challenge bytea NOT NULL,
    user_id uuid NOT NULL,
    wrong_tries integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT sign_in_challenges_pkey PRIMARY KEY (id),
    CONSTRAINT sign_in_challenges_token_unique UNIQUE (token_mark),
    CONSTRAINT sign_in_challenges_challenge_is_long CHECK (octet_length(passkey_challenge) = 32),
    CONSTRAINT sign_in_challenges_tries_bounded CHECK (wrong_tries BETWEEN 0 AND 5),
    CONSTRAINT sign_in_challenges_expire_later CHECK (expires_at > created_at)
);
ALTER TABLE sign_in_challenges ADD CONSTRAINT sign_in_challenges_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('sign_in_challenges');
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_challenges TO monigo_app;
CREATE INDEX sign_in_challenges_by_end ON sign_in_challenges (expires_at);

-- Who belongs to which organisation, and as what.
CREATE TABLE memberships (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    joined_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (org_id, user_id),
    CONSTRAINT memberships_role_known CHECK (role IN ('owner', 'admin', 'member', 'viewer'))
);
ALTER TABLE memberships ADD CONSTRAINT memberships_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT;
SELECT hold_to_people('memberships');
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships TO monigo_app;
CREATE INDEX memberships_by_user ON memberships (user_id, joined_at);

-- Who was asked to become a member, by a token that lies in one mail and nowhere else.
CREATE TABLE invitations (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    token_mark bytea NOT NULL,
    invited_by uuid NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    CONSTRAINT invitations_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT invitations_token_unique UNIQUE (token_mark),
    CONSTRAINT invitations_role_known CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    CONSTRAINT invitations_status_known
        CHECK (status IN ('pending', 'accepted', 'rejected', 'withdrawn', 'expired')),
    CONSTRAINT invitations_decided_when CHECK ((status = 'pending') = (decided_at IS NULL)),
    CONSTRAINT invitations_email_in_one_spelling CHECK (email = lower(email) AND email <> '')
);
SELECT hold_to_people('invitations');
GRANT SELECT, INSERT, UPDATE ON invitations TO monigo_app;
CREATE UNIQUE INDEX invitations_one_open ON invitations (org_id, email) WHERE status = 'pending';
CREATE INDEX invitations_by_email ON invitations (email) WHERE status = 'pending';
CREATE INDEX invitations_by_id ON invitations (id);
