-- People: accounts, sign-in, and memberships of organisations. Plain local tables, because a person belongs
-- to no tenant: a tenant's transaction reads and writes none of them.

-- Restricts a table to transactions that set `app.people` (`people/store.py`).
CREATE FUNCTION restrict_to_people(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY people_only ON %s USING (%s)', target,
        $policy$current_setting('app.people', true) = 'on'$policy$
    );
END
$$;

-- A person with a verified e-mail address; addresses are stored in lower case, as they are compared.
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
SELECT restrict_to_people('users');
GRANT SELECT, INSERT, UPDATE ON users TO monigo_app;

-- A registration whose e-mail address is not verified yet, with its password. It reserves no address.
CREATE TABLE registrations (
    id uuid NOT NULL,
    email text NOT NULL,
    full_name text NOT NULL,
    password_hash text NOT NULL,
    address_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT registrations_pkey PRIMARY KEY (id),
    CONSTRAINT registrations_email_in_one_spelling CHECK (email = lower(email) AND email <> ''),
    CONSTRAINT registrations_password_is_hashed CHECK (password_hash LIKE '$argon2id$%')
);
SELECT restrict_to_people('registrations');
GRANT SELECT, INSERT, DELETE ON registrations TO monigo_app;
CREATE INDEX registrations_by_email ON registrations (email, created_at);
CREATE INDEX registrations_by_age ON registrations (created_at);

-- A mailed code (or link, after too many failed attempts), and the token that a right code is exchanged for.
-- Unknown addresses get rows, too, so that a response does not reveal whether an account exists.
CREATE TABLE email_codes (
    id uuid NOT NULL,
    email text NOT NULL,
    purpose text NOT NULL,
    is_link boolean NOT NULL,
    code_hash bytea NOT NULL,
    registration_id uuid,
    user_id uuid,
    address_hash bytea NOT NULL,
    failed_attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT email_codes_pkey PRIMARY KEY (id),
    CONSTRAINT email_codes_purpose_known
        CHECK (purpose IN ('verify_email', 'reset_password', 'set_password')),
    CONSTRAINT email_codes_hash_is_sha256 CHECK (octet_length(code_hash) = 32),
    CONSTRAINT email_codes_failed_attempts_bounded CHECK (failed_attempts BETWEEN 0 AND 5),
    CONSTRAINT email_codes_expire_later CHECK (expires_at > created_at)
);
ALTER TABLE email_codes ADD CONSTRAINT email_codes_registration_fkey
    FOREIGN KEY (registration_id) REFERENCES registrations (id) ON DELETE CASCADE;
ALTER TABLE email_codes ADD CONSTRAINT email_codes_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT restrict_to_people('email_codes');
GRANT SELECT, INSERT, UPDATE, DELETE ON email_codes TO monigo_app;
-- A new code ends the one before it.
CREATE UNIQUE INDEX email_codes_one_open ON email_codes (email, purpose) WHERE ended_at IS NULL;
CREATE INDEX email_codes_by_email ON email_codes (email, created_at);
CREATE INDEX email_codes_by_address ON email_codes (address_hash, created_at);
CREATE INDEX email_codes_by_registration ON email_codes (registration_id);
CREATE INDEX email_codes_by_age ON email_codes (created_at);
CREATE INDEX email_codes_by_hash ON email_codes (code_hash) WHERE ended_at IS NULL;

-- Attempts to sign in, by keyed hashes of the e-mail and network address; an attempt counts as failed until
-- it is recorded as succeeded.
CREATE TABLE sign_in_attempts (
    id uuid NOT NULL,
    email_hash bytea NOT NULL,
    address_hash bytea NOT NULL,
    succeeded boolean NOT NULL,
    attempted_at timestamptz NOT NULL,
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id)
);
SELECT restrict_to_people('sign_in_attempts');
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO monigo_app;
CREATE INDEX sign_in_attempts_by_email ON sign_in_attempts (email_hash, attempted_at);
CREATE INDEX sign_in_attempts_by_address ON sign_in_attempts (address_hash, attempted_at);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (attempted_at);

-- A device on which a person is signed in. Its refresh tokens are numbered; `generation` is the number of the
-- valid one. `recent_rotations` has the times at which the tokens before it were rotated: reuse within a
-- short grace period returns the same successor, later reuse ends the session.
CREATE TABLE sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    salt bytea NOT NULL,
    generation integer NOT NULL,
    rotated_at timestamptz NOT NULL,
    recent_rotations timestamptz[] NOT NULL,
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
SELECT restrict_to_people('sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO monigo_app;
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Keys of access tokens: the newest signs; older ones only verify tokens until these expire.
CREATE TABLE signing_keys (
    id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id)
);
SELECT restrict_to_people('signing_keys');
GRANT SELECT, INSERT, DELETE ON signing_keys TO monigo_app;

-- A person's authenticator app, confirmed by its first right code. Each code is accepted once.
CREATE TABLE authenticator_apps (
    user_id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    last_step bigint NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    CONSTRAINT authenticator_apps_pkey PRIMARY KEY (user_id)
);
ALTER TABLE authenticator_apps ADD CONSTRAINT authenticator_apps_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT restrict_to_people('authenticator_apps');
GRANT SELECT, INSERT, UPDATE, DELETE ON authenticator_apps TO monigo_app;

-- Recovery codes for a person who has lost the app; each is accepted once and then deleted.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_hash)
);
ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT restrict_to_people('recovery_codes');
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
SELECT restrict_to_people('passkeys');
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
SELECT restrict_to_people('passkey_challenges');
GRANT SELECT, INSERT, UPDATE, DELETE ON passkey_challenges TO monigo_app;

-- A log-in whose password was right, and whose second factor is asked for.
CREATE TABLE sign_in_challenges (
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    passkey_challenge bytea NOT NULL,
    user_id uuid NOT NULL,
    failed_attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT sign_in_challenges_pkey PRIMARY KEY (id),
    CONSTRAINT sign_in_challenges_token_unique UNIQUE (token_hash),
    CONSTRAINT sign_in_challenges_challenge_is_long CHECK (octet_length(passkey_challenge) = 32),
    CONSTRAINT sign_in_challenges_failed_attempts_bounded CHECK (failed_attempts BETWEEN 0 AND 5),
    CONSTRAINT sign_in_challenges_expire_later CHECK (expires_at > created_at)
);
ALTER TABLE sign_in_challenges ADD CONSTRAINT sign_in_challenges_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT restrict_to_people('sign_in_challenges');
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_challenges TO monigo_app;
CREATE INDEX sign_in_challenges_by_end ON sign_in_challenges (expires_at);

-- Members of organisations, with their roles.
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
SELECT restrict_to_people('memberships');
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships TO monigo_app;
CREATE INDEX memberships_by_user ON memberships (user_id, joined_at);

-- Invitations to become a member; the token is in the mail only, the row has its keyed hash.
CREATE TABLE invitations (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by uuid NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    CONSTRAINT invitations_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT invitations_token_unique UNIQUE (token_hash),
    CONSTRAINT invitations_role_known CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    CONSTRAINT invitations_status_known
        CHECK (status IN ('pending', 'accepted', 'rejected', 'withdrawn', 'expired')),
    CONSTRAINT invitations_decided_when CHECK ((status = 'pending') = (decided_at IS NULL)),
    CONSTRAINT invitations_email_in_one_spelling CHECK (email = lower(email) AND email <> '')
);
SELECT restrict_to_people('invitations');
GRANT SELECT, INSERT, UPDATE ON invitations TO monigo_app;
CREATE UNIQUE INDEX invitations_one_open ON invitations (org_id, email) WHERE status = 'pending';
CREATE INDEX invitations_by_email ON invitations (email) WHERE status = 'pending';
CREATE INDEX invitations_by_id ON invitations (id);
