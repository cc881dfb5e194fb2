-- A key can be switched off and on again, and tells when it was last used, to the minute.
ALTER TABLE api_keys ADD COLUMN disabled_at timestamptz;
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
