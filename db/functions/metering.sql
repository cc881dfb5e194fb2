-- How an event is read: its number, value, group, and whether it passes a metric's filters; and who has
-- events to fold.

-- The exact number in a text of plain digits. Of what is beyond 16,000 characters, which is more than a numeric
-- holds, a last digit shows whether it is above zero: that decides every comparison and rounding.
CREATE OR REPLACE FUNCTION plain_number(digits text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    left(digits, 16000) || CASE WHEN substr(digits, 16001) ~ '[1-9]' THEN '1' ELSE '' END
)::numeric;

-- Half to even at twelve places, as averages are; PostgreSQL's own `round` takes halves away from zero.
CREATE OR REPLACE FUNCTION round_quantity(number numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(number - trunc(number, 12)) = 0.0000000000005
        AND mod(trunc(number, 12), 0.000000000002) = 0
    THEN trunc(number, 12)
    ELSE round(number, 12)
END;

-- The number that a JSON value holds, as it was sent, or NULL: a JSON number or a string of plain
-- digits, exponents expanded, that has at most 18 digits before the point once it is rounded.
CREATE OR REPLACE FUNCTION json_number_as_sent(held jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(held)
    WHEN 'number' THEN
        CASE WHEN abs(held::numeric) < 999999999999999999.9999999999995 THEN held::numeric END
    WHEN 'string' THEN
        CASE WHEN (held #>> '{}') ~ '^-?[0-9]{1,18}(\.[0-9]+)?$'
            AND abs(plain_number(held #>> '{}')) < 999999999999999999.9999999999995
        THEN plain_number(held #>> '{}') END
END;

-- The same, rounded to twelve decimals. In PL/pgSQL, so that it stays a call: merged into every query
-- that reads a number, what few numbers need would be planned for all of them.
CREATE OR REPLACE FUNCTION json_number_rounded(held jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1 AS $$
BEGIN
    RETURN public.round_quantity(public.json_number_as_sent(held));
END
$$;

-- The same, as metrics count it. (Nearly all numbers have few decimals and take the short ways.)
CREATE OR REPLACE FUNCTION json_number(held jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(held)
    WHEN 'number' THEN
        CASE WHEN scale(held::numeric) > 12 THEN json_number_rounded(held)
        WHEN abs(held::numeric) < 1000000000000000000 THEN held::numeric END
    WHEN 'string' THEN
        CASE WHEN (held #>> '{}') ~ '^-?[0-9]{1,18}(\.[0-9]{1,12})?$' THEN (held #>> '{}')::numeric
        ELSE json_number_rounded(held) END
END;

-- The number in an event's property, or NULL.
CREATE OR REPLACE FUNCTION event_number(properties jsonb, property text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN json_number(properties -> property);

-- What stands for a property's value among distinct ones, or NULL for none. Values that jsonb holds
-- equal have one text once trailing zeros are gone; a string and a number differ by its quotes.
CREATE OR REPLACE FUNCTION event_value(properties jsonb, property text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(properties -> property)
    WHEN 'null' THEN NULL
    WHEN 'number' THEN encode(substr(sha256(
        convert_to(trim_scale((properties ->> property)::numeric)::text, 'UTF8')), 1, 16), 'hex')::uuid
    ELSE encode(substr(sha256(
        convert_to((properties -> property)::text, 'UTF8')), 1, 16), 'hex')::uuid
END;

-- Whether an event passes all of a metric's filters, which compare what was sent. A property that is
-- missing differs from every value, and is neither above nor below any.
CREATE OR REPLACE FUNCTION event_matches(properties jsonb, filters jsonb) RETURNS boolean
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
            WHEN '>' THEN json_number_as_sent(properties -> (filter ->> 'property'))
                > json_number_as_sent(filter -> 'value')
            WHEN '>=' THEN json_number_as_sent(properties -> (filter ->> 'property'))
                >= json_number_as_sent(filter -> 'value')
            WHEN '<' THEN json_number_as_sent(properties -> (filter ->> 'property'))
                < json_number_as_sent(filter -> 'value')
            WHEN '<=' THEN json_number_as_sent(properties -> (filter ->> 'property'))
                <= json_number_as_sent(filter -> 'value')
            WHEN 'exists' THEN properties ? (filter ->> 'property')
        END, false)), true)
    FROM jsonb_array_elements(filters) AS filter
);

-- The group that an event falls in under a metric's `group_by`: the value's text, cut to a length
-- that an index can hold.
CREATE OR REPLACE FUNCTION event_group(properties jsonb, property text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN property = '' THEN '' ELSE coalesce(left(properties ->> property, 255), '') END;

-- What an event is worth to whom it names stands still; only one who was unknown becomes a customer, once.
CREATE OR REPLACE FUNCTION keep_attribution() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF old.customer_id IS NOT NULL OR new.customer_id IS NULL
        OR (old.org_id, old.is_test, old.metric_id, old.dedup, old.occurred_at, old.amount, old.fault)
        IS DISTINCT FROM
        (new.org_id, new.is_test, new.metric_id, new.dedup, new.occurred_at, new.amount, new.fault)
    THEN
        RAISE EXCEPTION 'an amount stays with the customer whom it was attributed to'
            USING ERRCODE = '23514', CONSTRAINT = 'attributed_amounts_attributed_once';
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_attribution BEFORE UPDATE ON attributed_amounts
    FOR EACH ROW EXECUTE FUNCTION keep_attribution();

-- Some tenants that have batches to fold.
CREATE OR REPLACE FUNCTION tenants_with_unfolded_batches(tenants_max integer)
RETURNS TABLE (org_id uuid, is_test boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test FROM public.unfolded_batches
    ORDER BY org_id, is_test
    LIMIT tenants_max;
END
$$;
REVOKE ALL ON FUNCTION tenants_with_unfolded_batches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_unfolded_batches TO monigo_app;

-- Since when the oldest batch of all waits to be folded.
CREATE OR REPLACE FUNCTION oldest_unfolded_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT min(received_at) FROM public.unfolded_batches);
END
$$;
REVOKE ALL ON FUNCTION oldest_unfolded_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oldest_unfolded_at TO monigo_app;
