-- What whoever runs the installation needs to begin with, and the figures that a day is begun with.

-- People who run the platform; whose organisations these are is another matter.
CREATE TABLE platform_admins (
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT platform_admins_pkey PRIMARY KEY (user_id)
);
ALTER TABLE platform_admins ADD CONSTRAINT platform_admins_user_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
SELECT hold_to_people('platform_admins');
GRANT SELECT, INSERT ON platform_admins TO monigo_app;
