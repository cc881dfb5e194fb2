-- A key can be switched off and on again, and has the minute of its last use.
ALTER TABLE api_keys ADD COLUMN disabled_at timestamptz;
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
