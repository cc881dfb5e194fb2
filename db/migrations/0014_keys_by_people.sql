-- A key can be switched off and on again, and has the minute of its last use.
ALTER TABLE api_keys ADD COLUMN disabled_at timestamptz;
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
-- Since when nothing of an organisation may be changed, only read; decided by who runs the installation.
ALTER TABLE organizations ADD COLUMN suspended_at timestamptz;
