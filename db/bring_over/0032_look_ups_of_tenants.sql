-- Row-level security on look-up and queue tables, too: local tables of ids, which are read before the
-- tenant is known by functions of the owner's.

SELECT restrict_to_tenant('api_key_lookups');
SELECT restrict_to_tenant('tenant_lookups');
SELECT restrict_to_tenant('watched_customers');
SELECT restrict_to_tenant('unfolded_batches');

-- Which process takes a test clock to its target, and until when nobody else may. See
-- `tenancy/test_clock.py`.
ALTER TABLE test_clocks ADD COLUMN runner_id uuid;
ALTER TABLE test_clocks ADD COLUMN runner_until timestamptz;
ALTER TABLE test_clocks ADD CONSTRAINT test_clocks_runner_is_whole
    CHECK ((runner_id IS NULL) = (runner_until IS NULL));
