-- Numbers with more than twelve decimals count, rounded; and lines tell what could not be counted.

-- The exact number in a text of plain digits. Of what is beyond 16,000 characters, which is more than a
-- numeric holds, a last digit tells whether it is above zero: that decides every comparison and rounding.
CREATE FUNCTION plain_number(digits text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    left(digits, 16000) || CASE WHEN substr(digits, 16001) ~ '[1-9]' THEN '1' ELSE '' END
)::numeric;

-- Half to even at twelve places, as averages are; PostgreSQL's own `round` takes halves away from zero.
CREATE FUNCTION round_quantity(number numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(number - trunc(number, 12)) = 0.0000000000005
        AND mod(trunc(number, 12), 0.000000000002) = 0
    THEN trunc(number, 12)
    ELSE round(number, 12)
END;

-- The number that a JSON value holds, as it was sent, or NULL: a JSON number or a string of plain
-- digits, exponents expanded, that has at most 18 digits before the point once it is rounded.
CREATE FUNCTION json_number_as_sent(held jsonb) RETURNS numeric
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
CREATE FUNCTION json_number_rounded(held jsonb) RETURNS numeric
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

-- Filters compare what was sent.
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

-- Buckets know it already: their events less their numbers. Of lines made before it is not known.
ALTER TABLE invoice_line_items ADD COLUMN uncounted_events bigint NOT NULL DEFAULT 0;
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_uncounted_are_of_events
    CHECK (uncounted_events BETWEEN 0 AND event_count);
