-- Usage summed per hour, so that reading a period costs the same whatever was ingested.

-- The number that a JSON value holds, or NULL: a JSON number or a string of plain digits, at most 18
-- before and 12 after the point, exponents expanded. (The casts and comparisons of the first branch
-- cost less than half of the second's pattern.)
CREATE FUNCTION json_number(held jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(held)
    WHEN 'number' THEN
        CASE WHEN scale(held::numeric) <= 12 AND abs(held::numeric) < 1000000000000000000
        THEN held::numeric END
    WHEN 'string' THEN
        CASE WHEN (held #>> '{}') ~ '^-?[0-9]{1,18}(\.[0-9]{1,12})?$'
        THEN (held #>> '{}')::numeric END
END;

-- The number in an event's property, or NULL.
CREATE FUNCTION event_number(properties jsonb, property text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN json_number(properties -> property);

-- What stands for a property's value among distinct ones, or NULL for none. Values that jsonb holds
-- equal have one text once trailing zeros are gone; a string and a number differ by its quotes.
CREATE FUNCTION event_value(properties jsonb, property text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(properties -> property)
    WHEN 'null' THEN NULL
    WHEN 'number' THEN encode(substr(sha256(
        convert_to(trim_scale((properties ->> property)::numeric)::text, 'UTF8')), 1, 16), 'hex')::uuid
    ELSE encode(substr(sha256(
        convert_to((properties -> property)::text, 'UTF8')), 1, 16), 'hex')::uuid
END;

-- Whether an event passes all of a metric's filters. A property that is missing differs from every
-- value, and is neither above nor below any.
CREATE FUNCTION event_matches(properties jsonb, filters jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(bool_and(coalesce(
        CASE filter ->> 'operator'
            WHEN '=' THEN properties -> (filter ->> 'property') = filter -> 'value'
            WHEN '!=' THEN (properties -> (filter ->> 'property')) IS DISTINCT FROM filter -> 'value'
            WHEN 'in' THEN EXISTS (
                SELECT 1 FROM jsonb_array_elements(filter -> 'value') AS choice
                WHERE choice = properties -> (filter ->> 'property')
            )
            WHEN 'not in' THEN NOT EXISTS (
                SELECT 1 FROM jsonb_array_elements(filter -> 'value') AS choice
                WHERE choice = properties -> (filter ->> 'property')
            )
            WHEN '>' THEN event_number(properties, filter ->> 'property')
                > event_number(filter, 'value')
            WHEN '>=' THEN event_number(properties, filter ->> 'property')
                >= event_number(filter, 'value')
            WHEN '<' THEN event_number(properties, filter ->> 'property')
                < event_number(filter, 'value')
            WHEN '<=' THEN event_number(properties, filter ->> 'property')
                <= event_number(filter, 'value')
            WHEN 'exists' THEN properties ? (filter ->> 'property')
        END, false)), true)
    FROM jsonb_array_elements(filters) AS filter
);

-- The group that an event falls in under a metric's `group_by`: the value's text, cut to a length
-- that an index can hold.
CREATE FUNCTION event_group(properties jsonb, property text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN property = '' THEN '' ELSE coalesce(left(properties ->> property, 255), '') END;

-- One customer's events of one hour under one version of a metric, folded to what every aggregation
-- needs. An older version's buckets are not read any more.
CREATE TABLE usage_buckets (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    hour timestamptz NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    first_event_at timestamptz NOT NULL,
    last_event_at timestamptz NOT NULL,
    CONSTRAINT usage_buckets_pkey PRIMARY KEY (
        org_id, is_test, customer_id, metric_id, metric_version, hour, group_value
    ),
    CONSTRAINT usage_buckets_not_empty CHECK (event_count > 0),
    CONSTRAINT usage_buckets_numbers_are_of_events CHECK (number_count BETWEEN 0 AND event_count),
    CONSTRAINT usage_buckets_hour_holds_its_events
        CHECK (first_event_at >= hour AND last_event_at < hour + interval '1 hour')
) WITH (fillfactor = 80);
SELECT make_tenant_table('usage_buckets', 'SELECT, INSERT, UPDATE, DELETE');

-- The distinct values of an hour, for metrics that count them.
CREATE TABLE usage_bucket_values (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    hour timestamptz NOT NULL,
    value uuid NOT NULL,
    CONSTRAINT usage_bucket_values_pkey PRIMARY KEY (
        org_id, is_test, customer_id, metric_id, metric_version, hour, value
    )
);
SELECT make_tenant_table('usage_bucket_values', 'SELECT, INSERT, DELETE');

-- How many events were taken in each calendar month, UTC; folding adds each batch to it once.
CREATE TABLE event_counts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    month date NOT NULL,
    event_count bigint NOT NULL,
    CONSTRAINT event_counts_pkey PRIMARY KEY (org_id, is_test, month),
    CONSTRAINT event_counts_month_is_its_first_day CHECK (extract(day FROM month) = 1),
    CONSTRAINT event_counts_not_empty CHECK (event_count > 0)
) WITH (fillfactor = 50);
SELECT make_tenant_table('event_counts', 'SELECT, INSERT, UPDATE');
