-- Beside `usage_hours`. By itself, because a reader may hold either table while it waits for the other.
ALTER TABLE usage_bucket_values RENAME TO usage_hour_values;
ALTER TABLE usage_hour_values
    RENAME CONSTRAINT usage_bucket_values_pkey TO usage_hour_values_pkey;
