-- What migrations and functions produce, by pg_dump. Written by `make golden`, not by hand.

CREATE DOMAIN public.ledger_account_kind AS text
	CONSTRAINT ledger_accounts_kind_known CHECK ((VALUE = ANY (ARRAY['customer_wallet'::text, 'reserved'::text, 'credit_grant'::text, 'provider'::text, 'revenue'::text, 'receivable'::text, 'external'::text, 'provider_fees'::text, 'bad_debt'::text, 'dispute_losses'::text, 'payout_expense'::text, 'tax_payable'::text, 'payable'::text, 'payouts_in_flight'::text, 'withholding_payable'::text])));

CREATE DOMAIN public.ledger_amount AS numeric(24,6)
	CONSTRAINT ledger_transfers_amount_positive CHECK (((VALUE > (0)::numeric) AND (VALUE <> 'NaN'::numeric)));

CREATE DOMAIN public.ledger_balance AS numeric(24,6)
	CONSTRAINT ledger_accounts_balance_is_a_number CHECK ((VALUE <> 'NaN'::numeric));

CREATE DOMAIN public.ledger_chain_hash AS bytea
	CONSTRAINT ledger_accounts_hash_is_sha256 CHECK ((octet_length(VALUE) = 32));

CREATE DOMAIN public.ledger_currency AS text
	CONSTRAINT ledger_accounts_currency_is_iso_4217 CHECK ((VALUE ~ '^[A-Z]{3}$'::text));

CREATE DOMAIN public.ledger_entry_hash AS bytea
	CONSTRAINT ledger_transfers_hashes_are_sha256 CHECK ((octet_length(VALUE) = 32));

CREATE DOMAIN public.ledger_entry_sequence AS bigint
	CONSTRAINT ledger_transfers_sequences_positive CHECK ((VALUE > 0));

CREATE DOMAIN public.ledger_entry_type AS text
	CONSTRAINT ledger_transfers_entry_type_known CHECK ((VALUE = ANY (ARRAY['deposit'::text, 'withdrawal'::text, 'usage'::text, 'refund'::text, 'adjustment'::text, 'reservation'::text, 'release'::text, 'credit_grant'::text, 'credit_expiry'::text, 'credit_revocation'::text, 'invoice'::text, 'bill'::text, 'void'::text, 'reopening'::text, 'write_off'::text, 'recovery'::text, 'payment'::text, 'provider_fee'::text, 'charge_refund'::text, 'loss'::text, 'payout'::text, 'payout_return'::text])));

CREATE TYPE public.ledger_posting AS (
	id uuid,
	transaction_id uuid,
	source integer,
	target integer,
	amount numeric,
	currency text,
	entry_type text,
	description text,
	reference_type text,
	reference_id text,
	counterparty text,
	idempotency_key text,
	metadata jsonb
);

CREATE TYPE public.ledger_request AS (
	scope uuid,
	idempotency_key text,
	content_hash bytea,
	transfer_ids uuid[],
	result jsonb
);

CREATE DOMAIN public.ledger_request_hash AS bytea
	CONSTRAINT ledger_requests_hash_is_sha256 CHECK ((octet_length(VALUE) = 32));

CREATE DOMAIN public.ledger_request_key AS text
	CONSTRAINT ledger_requests_key_not_empty CHECK ((VALUE <> ''::text));

CREATE DOMAIN public.ledger_sequence AS bigint
	CONSTRAINT ledger_accounts_sequence_not_negative CHECK ((VALUE >= 0));

CREATE TYPE public.pgqueuer_status AS ENUM (
    'queued',
    'picked',
    'successful',
    'exception',
    'canceled',
    'deleted',
    'failed'
);

CREATE FUNCTION public.audit_entries_of(test boolean, records jsonb[]) RETURNS TABLE(number bigint, id uuid, at timestamp with time zone, is_test_mode boolean, actor_kind text, actor_id text, actor_name text, permission text, action text, route text, resource_type text, resource_id uuid, before jsonb, after jsonb, address text, user_agent text, request_id text)
    LANGUAGE sql STABLE ROWS 100
    AS $$
    SELECT row_number() OVER (ORDER BY record.number, added.number), added.id, added.at,
        CASE WHEN added.is_of_mode THEN test END, added.actor_kind, added.actor_id,
        added.actor_name, added.permission, added.action, added.route, added.resource_type,
        added.resource_id, added.before, added.after, added.address, added.user_agent,
        added.request_id
    FROM unnest(records) WITH ORDINALITY AS record (entries, number)
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_to_recordset(record.entries) AS (
            id uuid, at timestamptz, is_of_mode boolean, actor_kind text, actor_id text,
            actor_name text, permission text, action text, route text, resource_type text,
            resource_id uuid, before jsonb, after jsonb, address text, user_agent text,
            request_id text
        )
    ) WITH ORDINALITY AS added (
        id, at, is_of_mode, actor_kind, actor_id, actor_name, permission, action, route,
        resource_type, resource_id, before, after, address, user_agent, request_id, number
    )
$$;

CREATE FUNCTION public.audit_entry_content(org_id uuid, sequence bigint, id uuid, at timestamp with time zone, is_test_mode boolean, actor_kind text, actor_id text, actor_name text, permission text, action text, route text, resource_type text, resource_id uuid, before jsonb, after jsonb, address text, user_agent text, request_id text) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
    SELECT convert_to(
        jsonb_build_array(
            org_id, sequence, id, extract(epoch FROM at), is_test_mode, actor_kind, actor_id,
            actor_name, permission, action, route, resource_type, resource_id, before, after,
            address, user_agent, request_id
        )::text,
        'UTF8'
    )
$$;

CREATE FUNCTION public.chain_audit_entries(organization uuid, test boolean, records jsonb[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    first bigint;
    place integer := 0;
    link bytea;
    links bytea[];
    content bytea;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    INSERT INTO public.audit_heads (org_id, sequence, chain_hash)
    VALUES (organization, 0, sha256(''))
    ON CONFLICT (org_id) DO NOTHING;
    SELECT head.sequence, head.chain_hash INTO STRICT first, link
    FROM public.audit_heads AS head
    WHERE head.org_id = organization
    FOR UPDATE;

    FOR content IN
        SELECT public.audit_entry_content(
            organization, first + added.number, added.id, added.at, added.is_test_mode,
            added.actor_kind, added.actor_id, added.actor_name, added.permission, added.action,
            added.route, added.resource_type, added.resource_id, added.before, added.after,
            added.address, added.user_agent, added.request_id
        )
        FROM public.audit_entries_of(test, records) AS added
        ORDER BY added.number
    LOOP
        place := place + 1;
        link := sha256(link || content);
        links[place] := link;
    END LOOP;

    INSERT INTO public.audit_entries (
        org_id, sequence, id, at, is_test_mode, actor_kind, actor_id, actor_name, permission,
        action, route, resource_type, resource_id, before, after, address, user_agent, request_id,
        chain_hash
    )
    SELECT organization, first + added.number, added.id, added.at, added.is_test_mode,
        added.actor_kind, added.actor_id, added.actor_name, added.permission, added.action,
        added.route, added.resource_type, added.resource_id, added.before, added.after,
        added.address, added.user_agent, added.request_id, links[added.number]
    FROM public.audit_entries_of(test, records) AS added;
    UPDATE public.audit_heads SET sequence = first + place, chain_hash = link
    WHERE org_id = organization;
END
$$;

CREATE FUNCTION public.check_accounts_of_transfers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    asked record;
    known uuid[];
    missed record;
BEGIN
    FOR asked IN
        SELECT made.org_id, made.is_test, made.currency,
            array_agg(DISTINCT side.account_id) AS account_ids
        FROM made
        CROSS JOIN LATERAL (
            VALUES (made.from_account_id), (made.to_account_id)
        ) AS side (account_id)
        GROUP BY made.org_id, made.is_test, made.currency
    LOOP
        known := ARRAY(
            SELECT account.id FROM public.ledger_accounts AS account
            WHERE account.org_id = asked.org_id AND account.is_test = asked.is_test
                AND account.id = ANY ((SELECT asked.account_ids)::uuid[])
                AND account.currency = asked.currency
        );
        CONTINUE WHEN cardinality(known) = cardinality(asked.account_ids);
        SELECT side.account_id, side.name INTO STRICT missed
        FROM made
        CROSS JOIN LATERAL (
            VALUES ('from', made.from_account_id), ('to', made.to_account_id)
        ) AS side (name, account_id)
        WHERE made.org_id = asked.org_id AND made.is_test = asked.is_test
            AND made.currency = asked.currency AND side.account_id <> ALL (known)
        ORDER BY side.name
        LIMIT 1;
        RAISE EXCEPTION 'no account % in %', missed.account_id, asked.currency
            USING ERRCODE = '23503',
            CONSTRAINT = format('ledger_transfers_%s_account_fkey', missed.name);
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.check_own_tenant(organization uuid, test boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF organization IS NULL OR test IS NULL
        OR organization IS DISTINCT FROM nullif(current_setting('app.org_id', true), '')::uuid
        OR test IS DISTINCT FROM nullif(current_setting('app.is_test', true), '')::boolean
    THEN
        RAISE EXCEPTION 'not the tenant of this transaction' USING ERRCODE = '42501';
    END IF;
END
$$;

CREATE FUNCTION public.due_work_figures(instant timestamp with time zone, most bigint) RETURNS TABLE(kind text, due bigint, oldest_at timestamp with time zone, set_aside bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT coalesce(waiting.kind, failed.kind), coalesce(waiting.due, 0), waiting.oldest_at,
        coalesce(failed.set_aside, 0)
    FROM (
        SELECT kind, count(*) AS due, min(runs_at) AS oldest_at
        FROM (
            SELECT kind, runs_at FROM public.agenda
            WHERE runs_at <= instant ORDER BY runs_at LIMIT most
        ) AS first
        GROUP BY kind
    ) AS waiting
    FULL JOIN (
        SELECT kind, count(*) AS set_aside
        FROM (SELECT kind FROM public.agenda WHERE attempts > 0 LIMIT most) AS counted
        GROUP BY kind
    ) AS failed ON failed.kind = waiting.kind;
END
$$;

CREATE FUNCTION public.event_group(properties jsonb, property text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (property = ''::text) THEN ''::text ELSE COALESCE("left"((properties ->> property), 255), ''::text) END;

CREATE FUNCTION public.plain_number(digits text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (("left"(digits, 16000) || CASE WHEN (substr(digits, 16001) ~ '[1-9]'::text) THEN '1'::text ELSE ''::text END))::numeric;

CREATE FUNCTION public.json_number_as_sent(held jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(held) WHEN 'number'::text THEN CASE WHEN (abs((held)::numeric) < 999999999999999999.9999999999995) THEN (held)::numeric ELSE NULL::numeric END WHEN 'string'::text THEN CASE WHEN (((held #>> '{}'::text[]) ~ '^-?[0-9]{1,18}(\.[0-9]+)?$'::text) AND (abs(public.plain_number((held #>> '{}'::text[]))) < 999999999999999999.9999999999995)) THEN public.plain_number((held #>> '{}'::text[])) ELSE NULL::numeric END ELSE NULL::numeric END;

CREATE FUNCTION public.event_matches(properties jsonb, filters jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(bool_and(COALESCE(CASE (filter.value ->> 'operator'::text) WHEN '='::text THEN ((event_matches.properties -> (filter.value ->> 'property'::text)) = (filter.value -> 'value'::text)) WHEN '!='::text THEN ((event_matches.properties -> (filter.value ->> 'property'::text)) IS DISTINCT FROM (filter.value -> 'value'::text)) WHEN 'in'::text THEN (EXISTS (SELECT 1 FROM jsonb_array_elements((filter.value -> 'value'::text)) choice(value) WHERE (choice.value = (event_matches.properties -> (filter.value ->> 'property'::text))))) WHEN 'not in'::text THEN (NOT (EXISTS (SELECT 1 FROM jsonb_array_elements((filter.value -> 'value'::text)) choice(value) WHERE (choice.value = (event_matches.properties -> (filter.value ->> 'property'::text)))))) WHEN '>'::text THEN (public.json_number_as_sent((event_matches.properties -> (filter.value ->> 'property'::text))) > public.json_number_as_sent((filter.value -> 'value'::text))) WHEN '>='::text THEN (public.json_number_as_sent((event_matches.properties -> (filter.value ->> 'property'::text))) >= public.json_number_as_sent((filter.value -> 'value'::text))) WHEN '<'::text THEN (public.json_number_as_sent((event_matches.properties -> (filter.value ->> 'property'::text))) < public.json_number_as_sent((filter.value -> 'value'::text))) WHEN '<='::text THEN (public.json_number_as_sent((event_matches.properties -> (filter.value ->> 'property'::text))) <= public.json_number_as_sent((filter.value -> 'value'::text))) WHEN 'exists'::text THEN (event_matches.properties ? (filter.value ->> 'property'::text)) ELSE NULL::boolean END, false)), true) AS "coalesce" FROM jsonb_array_elements(event_matches.filters) filter(value));

CREATE FUNCTION public.json_number_rounded(held jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE COST 1 PARALLEL SAFE
    AS $$
BEGIN
    RETURN public.round_quantity(public.json_number_as_sent(held));
END
$$;

CREATE FUNCTION public.json_number(held jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(held) WHEN 'number'::text THEN CASE WHEN (scale((held)::numeric) > 12) THEN public.json_number_rounded(held) WHEN (abs((held)::numeric) < ('1000000000000000000'::bigint)::numeric) THEN (held)::numeric ELSE NULL::numeric END WHEN 'string'::text THEN CASE WHEN ((held #>> '{}'::text[]) ~ '^-?[0-9]{1,18}(\.[0-9]{1,12})?$'::text) THEN ((held #>> '{}'::text[]))::numeric ELSE public.json_number_rounded(held) END ELSE NULL::numeric END;

CREATE FUNCTION public.event_number(properties jsonb, property text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN public.json_number((properties -> property));

CREATE FUNCTION public.event_value(properties jsonb, property text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof((properties -> property)) WHEN 'null'::text THEN NULL::uuid WHEN 'number'::text THEN (encode(substr(sha256(convert_to((trim_scale(((properties ->> property))::numeric))::text, 'UTF8'::name)), 1, 16), 'hex'::text))::uuid ELSE (encode(substr(sha256(convert_to(((properties -> property))::text, 'UTF8'::name)), 1, 16), 'hex'::text))::uuid END;

CREATE FUNCTION public.find_api_key(hash bytea) RETURNS TABLE(org_id uuid, is_test boolean, api_key_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT org_id, is_test, api_key_id FROM public.api_key_lookups WHERE key_hash = hash;
END
$$;

CREATE FUNCTION public.find_portal_token(hash bytea) RETURNS TABLE(org_id uuid, is_test boolean, token_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT org_id, is_test, token_id FROM public.portal_token_lookups WHERE token_hash = hash;
END
$$;

CREATE FUNCTION public.fn_pgqueuer_changed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$;

CREATE FUNCTION public.is_reset(target regclass, is_test boolean) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (is_test AND (COALESCE(current_setting('app.is_reset'::text, true), ''::text) = 'on'::text) AND (EXISTS (SELECT 1 FROM pg_class WHERE ((pg_class.oid = (is_reset.target)::oid) AND (pg_get_userbyid(pg_class.relowner) = CURRENT_USER)))));

CREATE FUNCTION public.keep_accounts_of_transfers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    lost record;
    missed uuid;
BEGIN
    FOR lost IN
        SELECT gone.org_id, gone.is_test, array_agg(gone.id) AS account_ids
        FROM gone
        GROUP BY gone.org_id, gone.is_test
    LOOP
        SELECT transfer.from_account_id INTO missed
        FROM public.ledger_transfers AS transfer
        WHERE transfer.org_id = lost.org_id AND transfer.is_test = lost.is_test
            AND transfer.from_account_id = ANY (lost.account_ids)
        LIMIT 1;
        IF NOT FOUND THEN
            SELECT transfer.to_account_id INTO missed
            FROM public.ledger_transfers AS transfer
            WHERE transfer.org_id = lost.org_id AND transfer.is_test = lost.is_test
                AND transfer.to_account_id = ANY (lost.account_ids)
            LIMIT 1;
        END IF;
        IF FOUND THEN
            RAISE EXCEPTION 'account % has transfers', missed
                USING ERRCODE = '23503', CONSTRAINT = 'ledger_accounts_keep_their_transfers';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM 1 FROM public.memberships
    WHERE org_id = OLD.org_id AND role = 'owner' ORDER BY user_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the organisation % would have no owner', OLD.org_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_keep_an_owner';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.keep_attribution() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.keep_charge_forward() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a charge stays'
                USING ERRCODE = '23514', CONSTRAINT = 'charges_stay';
        END IF;
        RETURN old;
    END IF;
    IF old.state IN ('succeeded', 'failed', 'reversed') AND old.state <> new.state
        AND new.state <> 'succeeded' AND NOT (old.state = 'succeeded' AND new.state = 'reversed')
        AND NOT (old.state = 'failed' AND new.state = 'reversed')
    THEN
        RAISE EXCEPTION 'a charge cannot go from % to %', old.state, new.state
            USING ERRCODE = '23514', CONSTRAINT = 'charges_state_moves_forward';
    END IF;
    IF (old.kind, old.purpose, old.customer_id, old.invoice_id, old.wallet_id, old.top_up_id,
            old.connection_id, old.method_id, old.reference, old.currency, old.amount)
        IS DISTINCT FROM
        (new.kind, new.purpose, new.customer_id, new.invoice_id, new.wallet_id, new.top_up_id,
            new.connection_id, new.method_id, new.reference, new.currency, new.amount)
    THEN
        RAISE EXCEPTION 'what was asked for stays as it is'
            USING ERRCODE = '23514', CONSTRAINT = 'charges_ask_for_the_same';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_clock_forward() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF new.now_at < old.now_at THEN
        RAISE EXCEPTION 'a test clock does not go back'
            USING ERRCODE = '23514', CONSTRAINT = 'test_clocks_moves_forward';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_closed_wallet_empty() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF new.status = 'closed' AND EXISTS (
        SELECT 1 FROM ledger_accounts
        WHERE org_id = new.org_id AND is_test = new.is_test
            AND id IN (new.money_account_id, new.reserved_account_id) AND balance <> 0
    ) THEN
        RAISE EXCEPTION 'a wallet with money does not close'
            USING ERRCODE = '23514', CONSTRAINT = 'wallets_closed_is_empty';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_final_invoice() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF old.status <> 'draft' AND NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'only a draft can be deleted'
                USING ERRCODE = '23514', CONSTRAINT = 'invoices_final_immutable';
        END IF;
        RETURN old;
    END IF;
    IF old.status <> new.status AND NOT (
        (old.status = 'draft' AND new.status IN ('finalized', 'paid', 'void'))
        OR (old.status = 'finalized' AND new.status IN ('paid', 'payment_failed', 'void'))
        OR (old.status = 'payment_failed'
            AND new.status IN ('finalized', 'paid', 'uncollectible', 'void'))
        OR (old.status = 'uncollectible' AND new.status IN ('paid', 'void'))
        OR (old.status = 'paid' AND new.status = 'payment_failed' AND old.plan_type = 'payout')
    ) THEN
        RAISE EXCEPTION 'an invoice cannot go from % to %', old.status, new.status
            USING ERRCODE = '23514', CONSTRAINT = 'invoices_status_moves_forward';
    END IF;
    IF old.status <> 'draft' AND (
        (old.customer_id, old.subscription_id, old.plan_type, old.kind, old.number, old.currency,
            old.subtotal, old.vat_enabled, old.vat_rate, old.vat_amount, old.wht_rate,
            old.wht_amount, old.total, old.period_start, old.period_end, old.finalized_at,
            old.terms, old.has_credit, old.billing_mode)
        IS DISTINCT FROM
        (new.customer_id, new.subscription_id, new.plan_type, new.kind, new.number, new.currency,
            new.subtotal, new.vat_enabled, new.vat_rate, new.vat_amount, new.wht_rate,
            new.wht_amount, new.total, new.period_start, new.period_end, new.finalized_at,
            new.terms, new.has_credit, new.billing_mode)
    ) THEN
        RAISE EXCEPTION 'a final invoice does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'invoices_final_immutable';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_final_lines() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT line.org_id, line.is_test, array_agg(DISTINCT line.invoice_id) AS invoice_ids
        FROM touched AS line
        GROUP BY line.org_id, line.is_test
    LOOP
        CONTINUE WHEN TG_OP = 'DELETE' AND public.is_reset(TG_RELID, changed.is_test);
        IF EXISTS (
            SELECT 1 FROM public.invoices AS invoice
            WHERE invoice.org_id = changed.org_id AND invoice.is_test = changed.is_test
                AND invoice.id = ANY (changed.invoice_ids) AND invoice.status <> 'draft'
        ) THEN
            RAISE EXCEPTION 'the lines of a final invoice do not change'
                USING ERRCODE = '23514', CONSTRAINT = 'invoice_line_items_final_immutable';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.keep_final_rounding() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'a final invoice does not change'
        USING ERRCODE = '23514', CONSTRAINT = 'invoices_final_immutable';
END
$$;

CREATE FUNCTION public.keep_ledger_account() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'an account stays what it is'
        USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_identity_fixed';
END
$$;

CREATE FUNCTION public.keep_leg_sent_once() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF new.state = 'sending' AND old.state <> 'owed'
        AND (old.state <> 'sending' OR old.transfer_id <> new.transfer_id)
    THEN
        RAISE EXCEPTION 'a leg that is % is not sent', old.state
            USING ERRCODE = '23514', CONSTRAINT = 'payout_legs_sent_once';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_legs_within_bill() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT leg.org_id, leg.is_test, array_agg(DISTINCT leg.bill_id) AS bill_ids
        FROM touched AS leg
        GROUP BY leg.org_id, leg.is_test
    LOOP
        IF EXISTS (
            SELECT 1
            FROM public.invoices AS bill
            CROSS JOIN LATERAL (
                SELECT sum(leg.amount) AS amount FROM public.payout_legs AS leg
                WHERE leg.org_id = changed.org_id AND leg.is_test = changed.is_test
                    AND leg.bill_id = bill.id
            ) AS made
            WHERE bill.org_id = changed.org_id AND bill.is_test = changed.is_test
                AND bill.id = ANY (changed.bill_ids)
                AND (made.amount > bill.total OR bill.plan_type <> 'payout'
                    OR bill.status = 'draft')
        ) THEN
            RAISE EXCEPTION 'legs are of a final bill, and come to no more than it'
                USING ERRCODE = '23514', CONSTRAINT = 'payout_legs_within_bill';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.keep_payment() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a payment stays'
                USING ERRCODE = '23514', CONSTRAINT = 'payments_stay';
        END IF;
        RETURN old;
    END IF;
    IF (old.connection_id, old.currency, old.amount)
        IS DISTINCT FROM (new.connection_id, new.currency, new.amount)
        OR ((old.purpose <> 'unmatched' OR old.refunded + old.reversed > 0)
            AND (old.kind, old.purpose, old.charge_id, old.virtual_account_id, old.customer_id)
            IS DISTINCT FROM
            (new.kind, new.purpose, new.charge_id, new.virtual_account_id, new.customer_id))
        OR (old.provider_id <> new.provider_id AND NOT old.is_by_person)
        OR (old.to_invoice + old.to_wallet > 0
            AND (old.to_invoice, old.to_wallet, old.invoice_id, old.wallet_id)
            IS DISTINCT FROM (new.to_invoice, new.to_wallet, new.invoice_id, new.wallet_id))
        OR new.reversed < old.reversed
    THEN
        RAISE EXCEPTION 'a payment stays what it was'
            USING ERRCODE = '23514', CONSTRAINT = 'payments_stay_what_they_were';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_refund_forward() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a refund stays'
                USING ERRCODE = '23514', CONSTRAINT = 'refunds_stay';
        END IF;
        RETURN old;
    END IF;
    IF old.state IN ('succeeded', 'failed') AND old.state <> new.state AND new.state <> 'succeeded'
    THEN
        RAISE EXCEPTION 'a refund cannot go from % to %', old.state, new.state
            USING ERRCODE = '23514', CONSTRAINT = 'refunds_state_moves_forward';
    END IF;
    IF (old.payment_id, old.invoice_id, old.reference, old.currency, old.amount, old.destination)
        IS DISTINCT FROM
        (new.payment_id, new.invoice_id, new.reference, new.currency, new.amount, new.destination)
    THEN
        RAISE EXCEPTION 'what is refunded stays as it is'
            USING ERRCODE = '23514', CONSTRAINT = 'refunds_give_back_the_same';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_revoked_grant() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'a revoked grant stays revoked'
        USING ERRCODE = '23514', CONSTRAINT = 'credit_grants_revoked_once';
END
$$;

CREATE FUNCTION public.keep_settled_reservation() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF old.status <> 'open' THEN
        RAISE EXCEPTION 'a settled reservation does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_reservations_settled_once';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_settled_top_up() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF old.status <> 'open' THEN
        RAISE EXCEPTION 'a settled top-up does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_top_ups_settled_once';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_transfer_forward() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT public.is_reset(TG_RELID, old.is_test) THEN
            RAISE EXCEPTION 'a transfer stays'
                USING ERRCODE = '23514', CONSTRAINT = 'transfers_stay';
        END IF;
        RETURN old;
    END IF;
    IF old.state IN ('succeeded', 'failed', 'reversed') AND old.state <> new.state
        AND NOT (old.state = 'failed' AND new.state IN ('succeeded', 'reversed'))
        AND NOT (old.state = 'succeeded' AND new.state = 'reversed')
        OR old.state IN ('pending', 'unknown', 'needs_action')
            AND new.state IN ('created', 'submitted')
    THEN
        RAISE EXCEPTION 'a transfer cannot go from % to %', old.state, new.state
            USING ERRCODE = '23514', CONSTRAINT = 'transfers_state_moves_forward';
    END IF;
    IF (old.leg_id, old.bill_id, old.customer_id, old.payout_account_id, old.payout_method,
            old.bank_code, old.account_name, old.number_ciphertext, old.connection_id, old.attempt,
            old.reference, old.currency, old.amount)
        IS DISTINCT FROM
        (new.leg_id, new.bill_id, new.customer_id, new.payout_account_id, new.payout_method,
            new.bank_code, new.account_name, new.number_ciphertext, new.connection_id, new.attempt,
            new.reference, new.currency, new.amount)
    THEN
        RAISE EXCEPTION 'what is sent stays as it is'
            USING ERRCODE = '23514', CONSTRAINT = 'transfers_send_the_same';
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION public.keep_unlinked_entries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM public.audit_entries
        WHERE org_id = old.org_id AND id = old.subject_id
    ) THEN
        RAISE EXCEPTION 'entries that are not linked yet stay'
            USING ERRCODE = '23514', CONSTRAINT = 'audit_entries_stay_until_linked';
    END IF;
    RETURN old;
END
$$;

CREATE FUNCTION public.ledger_chain_link(previous bytea, content bytea, sequence bigint, balance numeric) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
    SELECT sha256(previous || content || convert_to(sequence || ' ' || balance, 'UTF8'))
$$;

CREATE FUNCTION public.ledger_transfer_content(org_id uuid, is_test boolean, id uuid, transaction_id uuid, from_account_id uuid, to_account_id uuid, amount numeric, currency text, entry_type text, description text, reference_type text, reference_id text, counterparty text, idempotency_key text, metadata jsonb, created_at timestamp with time zone) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
    SELECT convert_to(
        jsonb_build_array(
            org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount, currency,
            entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
            metadata, extract(epoch FROM created_at)
        )::text,
        'UTF8'
    )
$$;

CREATE FUNCTION public.lock_wallets(organization uuid, test boolean, wallet_ids uuid[], key_wallet_ids uuid[], keys text[], api_key_ids uuid[], api_key_expiries timestamp with time zone[], api_key_scopes text[]) RETURNS TABLE(id uuid, customer_id uuid, currency text, status text, money_account_id uuid, reserved_account_id uuid, provider_account_id uuid, revenue_account_id uuid, created_at timestamp with time zone, updated_at timestamp with time zone, balance numeric, reserved_balance numeric, entries bigint, top_up_threshold numeric, excess numeric, is_watched boolean, is_any_key_used boolean, are_api_keys_same boolean)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
DECLARE
    is_used boolean := false;
    are_same boolean := true;
BEGIN
    PERFORM 1 FROM public.wallets
    WHERE org_id = organization AND is_test = test AND id = ANY ((SELECT wallet_ids)::uuid[])
    ORDER BY id
    FOR NO KEY UPDATE;
    IF cardinality(keys) > 0 THEN
        -- OFFSET 0 has each key looked up in the index, whatever number of keys the plan was made for.
        is_used := EXISTS (
            SELECT 1
            FROM unnest((SELECT key_wallet_ids), (SELECT keys)) AS asked (wallet_id, idempotency_key)
            WHERE EXISTS (
                SELECT 1 FROM public.ledger_requests AS used
                WHERE used.org_id = organization AND used.is_test = test
                    AND used.scope = asked.wallet_id
                    AND used.idempotency_key = asked.idempotency_key
                OFFSET 0
            )
        );
    END IF;
    IF cardinality(api_key_ids) > 0 THEN
        are_same := cardinality(api_key_ids) = (
            SELECT count(*)
            FROM unnest(
                (SELECT api_key_ids), (SELECT api_key_expiries), (SELECT api_key_scopes)
            ) AS known (id, expires_at, scopes)
            JOIN public.api_keys AS key
                ON key.org_id = organization AND key.id = ANY ((SELECT api_key_ids)::uuid[])
                AND key.id = known.id
                AND key.is_test_mode = test
                AND coalesce(key.expires_at, 'infinity') = known.expires_at
                AND array_to_string(key.scopes, ' ') = known.scopes
            WHERE key.revoked_at IS NULL AND key.disabled_at IS NULL
        ) AND NOT EXISTS (
            SELECT 1 FROM public.organizations
            WHERE org_id = organization AND suspended_at IS NOT NULL
        );
    END IF;
    RETURN QUERY
    SELECT state.id, state.customer_id, state.currency, state.status, state.money_account_id,
        state.reserved_account_id, state.provider_account_id, state.revenue_account_id,
        state.created_at, state.updated_at, state.balance::numeric, state.reserved_balance::numeric,
        state.entries::bigint, state.top_up_threshold, state.excess::numeric, state.is_watched,
        is_used, are_same
    FROM public.wallet_states AS state
    WHERE state.org_id = organization AND state.is_test = test
        AND state.id = ANY ((SELECT wallet_ids)::uuid[]);
END
$$;

CREATE FUNCTION public.lock_wallets_of_owners(organization uuid, test boolean, customer_ids uuid[], currencies text[]) RETURNS TABLE(id uuid, customer_id uuid, currency text, status text, money_account_id uuid, reserved_account_id uuid, provider_account_id uuid, revenue_account_id uuid, created_at timestamp with time zone, updated_at timestamp with time zone, balance numeric, reserved_balance numeric, entries bigint, top_up_threshold numeric, excess numeric, is_watched boolean)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
DECLARE
    wallet_ids uuid[] := ARRAY(
        SELECT wallet.id
        FROM public.wallets AS wallet
        WHERE wallet.org_id = organization AND wallet.is_test = test
            AND (wallet.customer_id, wallet.currency) IN (
                SELECT owner.customer_id, owner.currency
                FROM unnest(customer_ids, currencies) AS owner (customer_id, currency)
            )
    );
BEGIN
    RETURN QUERY
    SELECT locked.id, locked.customer_id, locked.currency, locked.status, locked.money_account_id,
        locked.reserved_account_id, locked.provider_account_id, locked.revenue_account_id,
        locked.created_at, locked.updated_at, locked.balance, locked.reserved_balance,
        locked.entries, locked.top_up_threshold, locked.excess, locked.is_watched
    FROM public.lock_wallets(
        organization, test, wallet_ids, '{}', '{}', '{}', '{}', '{}'
    ) AS locked;
END
$$;

CREATE FUNCTION public.locked_session_membership(organization uuid, test boolean, session uuid, person uuid, instant timestamp with time zone) RETURNS TABLE(role text, name text, authenticated_at timestamp with time zone, is_suspended boolean, lacks_second_factor boolean)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    PERFORM 1 FROM public.sessions AS signed_in
    WHERE signed_in.id = session AND signed_in.user_id = person FOR SHARE;
    PERFORM 1 FROM public.memberships AS membership
    WHERE membership.org_id = organization AND membership.user_id = person FOR SHARE;
    RETURN QUERY SELECT * FROM public.session_membership(organization, test, session, person, instant);
END
$$;

CREATE FUNCTION public.oldest_unfolded_at() RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN (SELECT min(received_at) FROM public.unfolded_batches);
END
$$;

CREATE FUNCTION public.organization_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY SELECT org_id FROM public.tenant_lookups ORDER BY org_id;
END
$$;

CREATE FUNCTION public.organization_ids_of_any_trace() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    SELECT org_id FROM public.organizations
    UNION SELECT org_id FROM public.tenant_lookups
    UNION SELECT org_id FROM public.api_key_lookups
    UNION SELECT org_id FROM public.watched_customers
    UNION SELECT org_id FROM public.unfolded_batches
    UNION SELECT org_id FROM public.agenda
    ORDER BY org_id;
END
$$;

CREATE FUNCTION public.override_slot(org_id uuid, is_test boolean, customer_id uuid, price_id uuid) RETURNS numrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT numrange((slot.slot)::numeric, (slot.slot)::numeric, '[]'::text) AS numrange FROM hashtextextended(((((override_slot.org_id)::text || (override_slot.is_test)::text) || (override_slot.customer_id)::text) || (override_slot.price_id)::text), (0)::bigint) slot(slot));

CREATE FUNCTION public.post_ledger_transfers(organization uuid, test boolean, account_ids uuid[], postings public.ledger_posting[], requests public.ledger_request[], made_at timestamp with time zone) RETURNS TABLE(id uuid, from_balance_before numeric, from_balance_after numeric, from_sequence bigint, to_balance_before numeric, to_balance_after numeric, to_sequence bigint)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 10
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "app.is_posting" TO 'on'
    AS $$
#variable_conflict use_column
DECLARE
    -- The accounts, each once, and their heads as each transfer leaves them.
    accounts uuid[];
    currencies text[];
    balances numeric[];
    sequences bigint[];
    hashes bytea[];
    may_owe boolean[];
    may_hold boolean[];
    -- What each transfer leaves on its two sides.
    from_balances numeric[];
    from_sequences bigint[];
    from_hashes bytea[];
    to_balances numeric[];
    to_sequences bigint[];
    to_hashes bytea[];
    place integer := 0;
    source integer;
    target integer;
    amount numeric(24, 6);
    content bytea;
    is_of_currency boolean;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    SELECT array_agg(head.id), array_agg(head.currency), array_agg(head.balance),
        array_agg(head.sequence), array_agg(head.chain_hash),
        array_agg(head.kind NOT IN (
            'customer_wallet', 'reserved', 'credit_grant', 'tax_payable', 'payable',
            'payouts_in_flight', 'withholding_payable'
        )),
        array_agg(head.kind NOT IN (
            'receivable', 'external', 'provider_fees', 'bad_debt', 'dispute_losses',
            'payout_expense'
        ))
    INTO accounts, currencies, balances, sequences, hashes, may_owe, may_hold
    FROM (
        SELECT account.id, account.currency, account.balance, account.sequence,
            account.chain_hash, account.kind
        FROM public.ledger_accounts AS account
        WHERE account.org_id = organization AND account.is_test = test
            AND account.id = ANY ((SELECT account_ids)::uuid[])
        ORDER BY account.id
        FOR NO KEY UPDATE
    ) AS head;
    IF coalesce(accounts, '{}') IS DISTINCT FROM account_ids THEN
        PERFORM public.refuse_ledger_accounts(organization, test, account_ids, postings);
    END IF;

    FOR source, target, amount, is_of_currency, content IN
        SELECT posting.source, posting.target, posting.amount,
            (currencies[posting.source], currencies[posting.target])
                = (posting.currency, posting.currency),
            public.ledger_transfer_content(
                organization, test, posting.id, posting.transaction_id, accounts[posting.source],
                accounts[posting.target], posting.amount::numeric(24, 6), posting.currency,
                posting.entry_type, posting.description, posting.reference_type,
                posting.reference_id, posting.counterparty, posting.idempotency_key,
                posting.metadata, made_at
            )
        FROM unnest((SELECT postings)) AS posting
    LOOP
        IF is_of_currency IS FALSE THEN
            PERFORM public.refuse_ledger_currency(postings, accounts, currencies);
        END IF;
        place := place + 1;
        balances[source] := balances[source] - amount;
        sequences[source] := sequences[source] + 1;
        hashes[source] := public.ledger_chain_link(
            hashes[source], content, sequences[source], balances[source]
        );
        from_balances[place] := balances[source];
        from_sequences[place] := sequences[source];
        from_hashes[place] := hashes[source];
        IF balances[source] < 0 AND NOT may_owe[source] THEN
            RAISE EXCEPTION 'account % has too little', accounts[source]
                USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_balance_not_negative';
        END IF;

        balances[target] := balances[target] + amount;
        sequences[target] := sequences[target] + 1;
        hashes[target] := public.ledger_chain_link(
            hashes[target], content, sequences[target], balances[target]
        );
        IF balances[target] > 0 AND NOT may_hold[target] THEN
            RAISE EXCEPTION 'account % takes more than it gave', accounts[target]
                USING ERRCODE = '23514', CONSTRAINT = 'ledger_accounts_balance_not_positive';
        END IF;
        to_balances[place] := balances[target];
        to_sequences[place] := sequences[target];
        to_hashes[place] := hashes[target];
    END LOOP;

    RETURN QUERY
    INSERT INTO public.ledger_transfers (
        org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount, currency,
        entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
        metadata, created_at, from_balance_before, from_balance_after, from_sequence,
        from_chain_hash, to_balance_before, to_balance_after, to_sequence, to_chain_hash
    )
    SELECT organization, test, posted.id, posted.transaction_id, accounts[posted.source],
        accounts[posted.target], posted.amount, posted.currency, posted.entry_type,
        posted.description, posted.reference_type, posted.reference_id, posted.counterparty,
        posted.idempotency_key, posted.metadata, made_at,
        posted.from_balance + posted.amount::numeric(24, 6), posted.from_balance,
        posted.from_sequence, posted.from_hash,
        posted.to_balance - posted.amount::numeric(24, 6), posted.to_balance,
        posted.to_sequence, posted.to_hash
    FROM unnest(
        (SELECT postings), (SELECT from_balances), (SELECT from_sequences), (SELECT from_hashes),
        (SELECT to_balances), (SELECT to_sequences), (SELECT to_hashes)
    ) AS posted (
        id, transaction_id, source, target, amount, currency, entry_type, description,
        reference_type, reference_id, counterparty, idempotency_key, metadata,
        from_balance, from_sequence, from_hash, to_balance, to_sequence, to_hash
    )
    RETURNING id, from_balance_before, from_balance_after, from_sequence::bigint,
        to_balance_before, to_balance_after, to_sequence::bigint;

    UPDATE public.ledger_accounts AS account
    SET balance = moved.balance, sequence = moved.sequence, chain_hash = moved.chain_hash,
        moved_at = made_at
    FROM unnest(
        (SELECT accounts), (SELECT balances), (SELECT sequences), (SELECT hashes)
    ) AS moved (id, balance, sequence, chain_hash)
    WHERE account.org_id = organization AND account.is_test = test AND account.id = moved.id
        AND account.sequence <> moved.sequence;

    IF cardinality(requests) > 0 THEN
        INSERT INTO public.ledger_requests (
            org_id, is_test, scope, idempotency_key, content_hash, transfer_ids, result, created_at
        )
        SELECT organization, test, request.scope, request.idempotency_key, request.content_hash,
            request.transfer_ids, request.result, made_at
        FROM unnest((SELECT requests)) AS request;
    END IF;
END
$$;

CREATE FUNCTION public.refuse_ledger_accounts(organization uuid, test boolean, account_ids uuid[], postings public.ledger_posting[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    unknown integer;
BEGIN
    SELECT asked.place INTO unknown
    FROM unnest(account_ids) WITH ORDINALITY AS asked (id, place)
    WHERE NOT EXISTS (
        SELECT 1 FROM public.ledger_accounts AS account
        WHERE account.org_id = organization AND account.is_test = test AND account.id = asked.id
    )
    ORDER BY asked.place
    LIMIT 1;
    IF unknown IS NULL THEN
        RAISE EXCEPTION 'accounts are to be named once each, in order' USING ERRCODE = '22023';
    END IF;
    RAISE EXCEPTION 'no account %', account_ids[unknown]
        USING ERRCODE = '23503', CONSTRAINT = CASE
            WHEN unknown IN (SELECT source FROM unnest(postings))
                THEN 'ledger_transfers_from_account_fkey'
            ELSE 'ledger_transfers_to_account_fkey'
        END;
END
$$;

CREATE FUNCTION public.refuse_ledger_currency(postings public.ledger_posting[], accounts uuid[], currencies text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    missed record;
BEGIN
    SELECT accounts[side.place] AS account_id, side.name, posting.currency INTO STRICT missed
    FROM unnest(postings) AS posting
    CROSS JOIN LATERAL (
        VALUES ('from', posting.source), ('to', posting.target)
    ) AS side (name, place)
    WHERE currencies[side.place] <> posting.currency
    LIMIT 1;
    RAISE EXCEPTION 'no account % in %', missed.account_id, missed.currency
        USING ERRCODE = '23503',
        CONSTRAINT = format('ledger_transfers_%s_account_fkey', missed.name);
END
$$;

CREATE FUNCTION public.reset_test_data(organization uuid, test boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $_$
DECLARE
    waiting regclass[];
    target regclass;
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    IF NOT test THEN
        RAISE EXCEPTION 'only a transaction in test mode can reset it' USING ERRCODE = '42501';
    END IF;
    SELECT array_agg(oid::regclass) INTO STRICT waiting
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND EXISTS (
            SELECT 1 FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attname = 'is_test' AND NOT attisdropped
        )
        -- Keys, and those at providers, are the organisation's, and stay.
        AND relname NOT IN (
            'api_key_lookups', 'payment_credentials', 'whatsapp_connections', 'whatsapp_settings'
        );
    SET LOCAL app.is_reset = 'on';
    WHILE cardinality(waiting) > 0 LOOP
        -- One that none of the others points at; transfers point at accounts by a trigger.
        SELECT candidate INTO STRICT target
        FROM unnest(waiting) AS candidate
        WHERE NOT EXISTS (
            SELECT 1 FROM pg_constraint
            WHERE contype = 'f' AND confrelid = candidate AND conrelid <> candidate
                AND conrelid = ANY (waiting)
        ) AND NOT (
            candidate = 'public.ledger_accounts'::regclass
            AND 'public.ledger_transfers'::regclass = ANY (waiting)
        )
        LIMIT 1;
        EXECUTE format('DELETE FROM %s WHERE org_id = $1 AND is_test', target) USING organization;
        waiting := array_remove(waiting, target);
    END LOOP;
    SET LOCAL app.is_reset = '';
END
$_$;

CREATE FUNCTION public.restrict_to_people(target regclass) RETURNS void
    LANGUAGE plpgsql
    AS $_$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY people_only ON %s USING (%s)', target,
        $policy$current_setting('app.people', true) = 'on'$policy$
    );
END
$_$;

CREATE FUNCTION public.restrict_to_tenant(target regclass) RETURNS void
    LANGUAGE plpgsql
    AS $_$
DECLARE
    own_rows text := $policy$org_id = nullif(current_setting('app.org_id', true), '')::uuid$policy$;
BEGIN
    IF EXISTS (
        SELECT 1 FROM pg_catalog.pg_attribute
        WHERE attrelid = target AND attname = 'is_test' AND NOT attisdropped
    ) THEN
        own_rows := own_rows
            || $policy$ AND is_test = nullif(current_setting('app.is_test', true), '')::boolean$policy$;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own_rows ON %s USING (%s) WITH CHECK (%s)', target, own_rows, own_rows
    );
END
$_$;

CREATE FUNCTION public.round_quantity(number numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((abs((number - trunc(number, 12))) = 0.0000000000005) AND (mod(trunc(number, 12), 0.000000000002) = (0)::numeric)) THEN trunc(number, 12) ELSE round(number, 12) END;

CREATE FUNCTION public.session_membership(organization uuid, test boolean, session uuid, person uuid, instant timestamp with time zone) RETURNS TABLE(role text, name text, authenticated_at timestamp with time zone, is_suspended boolean, lacks_second_factor boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM public.check_own_tenant(organization, test);
    RETURN QUERY
    SELECT membership.role, known.full_name, signed_in.authenticated_at,
        merchant.suspended_at IS NOT NULL,
        membership.role IS NOT NULL
        AND merchant.access @> '{"require_second_factor": true}'
        AND NOT EXISTS (
            SELECT 1 FROM public.authenticator_apps AS app
            WHERE app.user_id = person AND app.confirmed_at IS NOT NULL
        )
        AND NOT EXISTS (SELECT 1 FROM public.passkeys AS passkey WHERE passkey.user_id = person)
    FROM public.sessions AS signed_in
    JOIN public.users AS known ON known.id = signed_in.user_id
    LEFT JOIN public.memberships AS membership
        ON membership.org_id = organization AND membership.user_id = signed_in.user_id
    LEFT JOIN public.organizations AS merchant ON merchant.org_id = organization
    WHERE signed_in.id = session AND signed_in.user_id = person
        AND signed_in.ended_at IS NULL AND signed_in.expires_at > instant;
END
$$;

CREATE FUNCTION public.stretch_slot(org_id uuid, is_test boolean, customer_id uuid, plan_type text) RETURNS numrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT numrange((slot.slot)::numeric, (slot.slot)::numeric, '[]'::text) AS numrange FROM hashtextextended(((((stretch_slot.org_id)::text || (stretch_slot.is_test)::text) || (stretch_slot.customer_id)::text) || stretch_slot.plan_type), (0)::bigint) slot(slot));

CREATE FUNCTION public.tenants_with_due_work(instant timestamp with time zone) RETURNS TABLE(org_id uuid, is_test boolean, kind text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test, kind FROM public.agenda
    WHERE runs_at <= instant AND (claimed_until IS NULL OR claimed_until <= instant);
END
$$;

CREATE FUNCTION public.tenants_with_facts(instant timestamp with time zone) RETURNS TABLE(org_id uuid, is_test boolean, subscriber text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE step AS (
        (
            SELECT org_id, is_test, subscriber FROM public.outbox_deliveries
            ORDER BY org_id, is_test, subscriber
            LIMIT 1
        )
        UNION ALL
        SELECT following.org_id, following.is_test, following.subscriber
        FROM step
        CROSS JOIN LATERAL (
            SELECT delivery.org_id, delivery.is_test, delivery.subscriber
            FROM public.outbox_deliveries AS delivery
            WHERE (delivery.org_id, delivery.is_test, delivery.subscriber)
                > (step.org_id, step.is_test, step.subscriber)
            ORDER BY delivery.org_id, delivery.is_test, delivery.subscriber
            LIMIT 1
        ) AS following
    )
    SELECT org_id, is_test, subscriber FROM step
    WHERE EXISTS (
        SELECT 1 FROM public.outbox_deliveries AS delivery
        WHERE delivery.org_id = step.org_id AND delivery.is_test = step.is_test
            AND delivery.subscriber = step.subscriber AND delivery.runs_at <= instant
    );
END
$$;

CREATE FUNCTION public.tenants_with_unfolded_batches(tenants_max integer) RETURNS TABLE(org_id uuid, is_test boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT org_id, is_test FROM public.unfolded_batches
    ORDER BY org_id, is_test
    LIMIT tenants_max;
END
$$;

CREATE FUNCTION public.tenants_with_work_set_aside() RETURNS TABLE(org_id uuid, is_test boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT DISTINCT org_id, is_test FROM public.agenda WHERE attempts > 0;
END
$$;

CREATE FUNCTION public.waiting_fact_figures(most bigint) RETURNS TABLE(subscriber text, waiting bigint, oldest_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT subscriber, count(*), min(runs_at)
    FROM (SELECT subscriber, runs_at FROM public.outbox_deliveries LIMIT most) AS counted
    GROUP BY subscriber;
END
$$;

CREATE TABLE public.agenda (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    runs_at timestamp with time zone NOT NULL,
    version bigint NOT NULL,
    attempts integer NOT NULL,
    claimed_until timestamp with time zone,
    reason text NOT NULL,
    CONSTRAINT agenda_attempts_not_negative CHECK ((attempts >= 0)),
    CONSTRAINT agenda_never_due_never_runs CHECK (((due_at < 'infinity'::timestamp with time zone) OR (runs_at = 'infinity'::timestamp with time zone))),
    CONSTRAINT agenda_reason_is_short CHECK ((char_length(reason) <= 500)),
    CONSTRAINT agenda_set_aside_says_why CHECK (((attempts = 0) = (reason = ''::text))),
    CONSTRAINT agenda_version_positive CHECK ((version > 0))
);

CREATE TABLE public.alert_states (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    alert_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid,
    period_start timestamp with time zone,
    period_end timestamp with time zone,
    wallet_id uuid,
    threshold numeric(38,12) NOT NULL,
    label text NOT NULL,
    value numeric NOT NULL,
    status text NOT NULL,
    triggered_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    rearmed_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_states_acknowledged_by_somebody CHECK ((((acknowledged_at IS NOT NULL) = (status = 'acknowledged'::text)) AND ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)))),
    CONSTRAINT alert_states_of_period_or_wallet CHECK ((((subscription_id IS NULL) <> (wallet_id IS NULL)) AND ((period_start IS NULL) = (subscription_id IS NULL)) AND ((period_end IS NULL) = (subscription_id IS NULL)) AND (period_start < period_end))),
    CONSTRAINT alert_states_only_wallets_rearm CHECK (((rearmed_at IS NULL) OR (wallet_id IS NOT NULL))),
    CONSTRAINT alert_states_status_known CHECK ((status = ANY (ARRAY['triggered'::text, 'acknowledged'::text, 'resolved'::text]))),
    CONSTRAINT alert_states_value_finite CHECK ((value <> 'NaN'::numeric))
);

COMMENT ON COLUMN public.alert_states.rearmed_at IS 'when the balance was found to be back; NULL while it is below';

CREATE TABLE public.alert_thresholds (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    alert_id uuid NOT NULL,
    value numeric(38,12) NOT NULL,
    label text NOT NULL,
    CONSTRAINT alert_thresholds_label_in_bounds CHECK ((length(label) <= 255)),
    CONSTRAINT alert_thresholds_value_positive CHECK (((value > (0)::numeric) AND (value <> 'NaN'::numeric)))
);

CREATE TABLE public.alert_watches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    alert_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    period_start timestamp with time zone NOT NULL,
    period_end timestamp with time zone NOT NULL,
    next_threshold numeric(38,12),
    CONSTRAINT alert_watches_period_not_empty CHECK ((period_start < period_end))
);

COMMENT ON COLUMN public.alert_watches.next_threshold IS 'NULL where the period has reached all of them';

CREATE TABLE public.alerts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    scope text NOT NULL,
    plan_id uuid,
    subscription_id uuid,
    customer_id uuid,
    metric_id uuid,
    currency text NOT NULL,
    require_acknowledgment boolean NOT NULL,
    is_enabled boolean NOT NULL,
    armed_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT alerts_currency_is_iso_4217 CHECK (
CASE
    WHEN (currency = ''::text) THEN (type <> 'cost_exceeded'::text)
    ELSE ((type <> 'usage_exceeded'::text) AND (currency ~ '^[A-Z]{3}$'::text))
END),
    CONSTRAINT alerts_scope_has_its_id CHECK (((num_nonnulls(plan_id, subscription_id, customer_id) = 1) AND
CASE scope
    WHEN 'plan'::text THEN (plan_id IS NOT NULL)
    WHEN 'subscription'::text THEN (subscription_id IS NOT NULL)
    WHEN 'customer'::text THEN (customer_id IS NOT NULL)
    ELSE false
END)),
    CONSTRAINT alerts_type_known CHECK ((type = ANY (ARRAY['usage_exceeded'::text, 'cost_exceeded'::text, 'wallet_balance_dropped'::text]))),
    CONSTRAINT alerts_usage_is_of_a_metric CHECK (((metric_id IS NOT NULL) = (type = 'usage_exceeded'::text)))
);

COMMENT ON COLUMN public.alerts.currency IS 'of usage empty; of balances empty where it is of every wallet';

COMMENT ON COLUMN public.alerts.armed_at IS 'when it was made or last enabled: no period that ended before counts';

CREATE TABLE public.api_key_lookups (
    key_hash bytea NOT NULL,
    org_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    is_test boolean NOT NULL,
    CONSTRAINT api_key_lookups_hash_is_sha256 CHECK ((octet_length(key_hash) = 32))
);

CREATE TABLE public.api_keys (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    is_test_mode boolean NOT NULL,
    name text NOT NULL,
    key_prefix text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_keys_scopes_known CHECK (((scopes <@ ARRAY['ingest'::text, 'read'::text, 'write'::text, 'admin'::text]) AND (cardinality(scopes) > 0)))
);

CREATE TABLE public.attributed_amounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    metric_id uuid NOT NULL,
    dedup uuid NOT NULL,
    customer_id uuid,
    recipient text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    attributed_at timestamp with time zone NOT NULL,
    amount numeric(30,12),
    fault text NOT NULL,
    CONSTRAINT attributed_amounts_fault_has_no_amount CHECK (((amount IS NULL) = (fault <> ''::text))),
    CONSTRAINT attributed_amounts_fault_known CHECK ((fault = ANY (ARRAY[''::text, 'property_missing'::text, 'not_a_number'::text, 'division_by_zero'::text, 'too_large'::text, 'recipient_missing'::text]))),
    CONSTRAINT attributed_amounts_recipient_in_bounds CHECK ((length(recipient) <= 255)),
    CONSTRAINT attributed_amounts_waits_for_recipient CHECK (
CASE
    WHEN (customer_id IS NULL) THEN ((recipient = ''::text) = (fault = 'recipient_missing'::text))
    ELSE ((recipient = ''::text) AND (fault <> 'recipient_missing'::text))
END)
);
ALTER TABLE ONLY public.attributed_amounts ALTER COLUMN dedup SET STATISTICS 0;

COMMENT ON COLUMN public.attributed_amounts.dedup IS 'of the event';

COMMENT ON COLUMN public.attributed_amounts.recipient IS 'whom the event names, while that is no customer; else empty';

COMMENT ON COLUMN public.attributed_amounts.attributed_at IS 'when it was found whose it is, or that it is nobody''s; real time';

CREATE TABLE public.audit_entries (
    org_id uuid NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    is_test_mode boolean,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    permission text NOT NULL,
    action text NOT NULL,
    route text NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    before jsonb,
    after jsonb,
    address text NOT NULL,
    user_agent text NOT NULL,
    request_id text NOT NULL,
    chain_hash bytea NOT NULL,
    CONSTRAINT audit_entries_are_bounded CHECK ((((COALESCE(pg_column_size(before), 0) + COALESCE(pg_column_size(after), 0)) <= 262144) AND (octet_length(actor_name) <= 2000) AND (octet_length(user_agent) <= 2000) AND (octet_length(address) <= 100) AND (octet_length(request_id) <= 100))),
    CONSTRAINT audit_entries_hash_is_sha256 CHECK ((octet_length(chain_hash) = 32)),
    CONSTRAINT audit_entries_have_a_change CHECK ((before IS DISTINCT FROM after)),
    CONSTRAINT audit_entries_have_an_actor CHECK (((actor_kind <> ''::text) AND (actor_id <> ''::text) AND (action <> ''::text) AND (resource_type <> ''::text))),
    CONSTRAINT audit_entries_sequence_positive CHECK ((sequence > 0))
);

CREATE TABLE public.audit_heads (
    org_id uuid NOT NULL,
    sequence bigint NOT NULL,
    chain_hash bytea NOT NULL,
    CONSTRAINT audit_heads_hash_is_sha256 CHECK ((octet_length(chain_hash) = 32)),
    CONSTRAINT audit_heads_sequence_not_negative CHECK ((sequence >= 0))
);

CREATE TABLE public.authenticator_apps (
    user_id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    last_step bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone
);

CREATE TABLE public.balance_watchers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL
);

CREATE TABLE public.charges (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    customer_id uuid NOT NULL,
    invoice_id uuid,
    wallet_id uuid,
    top_up_id uuid,
    subject_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    method_id uuid,
    attempt integer NOT NULL,
    reference text NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    description text NOT NULL,
    email text NOT NULL,
    return_url text NOT NULL,
    save_method boolean NOT NULL,
    is_inline boolean NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    failure_code text,
    failure_reason text NOT NULL,
    failure_is_final boolean NOT NULL,
    provider_id text NOT NULL,
    url text NOT NULL,
    access_code text NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    sent_at timestamp with time zone,
    settled_at timestamp with time zone,
    asked integer NOT NULL,
    asked_at timestamp with time zone,
    first_not_found_at timestamp with time zone,
    needs_person_at timestamp with time zone,
    resolved_by text,
    resolved_at timestamp with time zone,
    resolution text,
    note text NOT NULL,
    is_contradicted boolean NOT NULL,
    CONSTRAINT charges_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT charges_attempts_count_from_one CHECK (((attempt > 0) AND (asked >= 0))),
    CONSTRAINT charges_checkout_expires CHECK (((kind = 'checkout'::text) = (expires_at IS NOT NULL))),
    CONSTRAINT charges_failed_says_why CHECK ((((state <> 'failed'::text) OR (failure_code IS NOT NULL)) AND ((failure_code IS NOT NULL) OR ((failure_reason = ''::text) AND (NOT failure_is_final))))),
    CONSTRAINT charges_kind_known CHECK ((kind = ANY (ARRAY['pull'::text, 'checkout'::text]))),
    CONSTRAINT charges_pull_has_a_method CHECK (((kind = 'pull'::text) = (method_id IS NOT NULL))),
    CONSTRAINT charges_purpose_has_its_subject CHECK ((((purpose = 'invoice'::text) = (invoice_id IS NOT NULL)) AND ((purpose = ANY (ARRAY['wallet'::text, 'top_up'::text])) = (wallet_id IS NOT NULL)) AND ((purpose = 'top_up'::text) = (top_up_id IS NOT NULL)) AND (purpose = ANY (ARRAY['invoice'::text, 'wallet'::text, 'top_up'::text, 'card_setup'::text])) AND (subject_id = COALESCE(top_up_id, wallet_id, invoice_id, customer_id)))),
    CONSTRAINT charges_resolution_is_whole CHECK ((((resolved_by IS NULL) = (resolved_at IS NULL)) AND ((resolved_by IS NULL) = (resolution IS NULL)) AND (resolution = ANY (ARRAY['succeeded'::text, 'failed'::text])) AND ((resolved_by IS NOT NULL) OR ((note = ''::text) AND (NOT is_contradicted))))),
    CONSTRAINT charges_sent_has_its_time CHECK ((((submitted_at IS NULL) = (sent_at IS NULL)) AND (submitted_at <= sent_at) AND ((sent_at IS NOT NULL) OR (state <> ALL (ARRAY['submitted'::text, 'unknown'::text]))))),
    CONSTRAINT charges_settled_has_its_time CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'reversed'::text])) = (settled_at IS NOT NULL))),
    CONSTRAINT charges_state_known CHECK ((state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text, 'succeeded'::text, 'failed'::text, 'reversed'::text])))
);

CREATE TABLE public.counters (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    name text NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT counters_value_positive CHECK ((value > 0))
);

CREATE TABLE public.credit_grants (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    priority integer NOT NULL,
    metric_ids uuid[] NOT NULL,
    description text NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    expired_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT credit_grants_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT credit_grants_expired_in_time CHECK ((expired_at >= expires_at)),
    CONSTRAINT credit_grants_expires_later CHECK ((expires_at > created_at)),
    CONSTRAINT credit_grants_revoked_later CHECK ((revoked_at >= created_at))
);

CREATE TABLE public.customer_changes (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE public.customer_mails (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    fact_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    type text NOT NULL,
    occasion jsonb NOT NULL,
    status text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    recipient text DEFAULT ''::text NOT NULL,
    locale text DEFAULT ''::text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    send_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT customer_mails_not_sent_before_made CHECK ((send_at >= created_at)),
    CONSTRAINT customer_mails_not_sent_says_why CHECK (((status = 'not_sent'::text) = (reason <> ''::text))),
    CONSTRAINT customer_mails_sent_to_somebody CHECK (((status <> ALL (ARRAY['sending'::text, 'sent'::text])) OR (recipient <> ''::text))),
    CONSTRAINT customer_mails_settled_has_its_time CHECK (((status = ANY (ARRAY['sent'::text, 'not_sent'::text])) = (settled_at IS NOT NULL))),
    CONSTRAINT customer_mails_status_known CHECK ((status = ANY (ARRAY['waiting'::text, 'sending'::text, 'sent'::text, 'not_sent'::text])))
);

COMMENT ON COLUMN public.customer_mails.fact_id IS 'of the outbox, which keeps facts for a shorter time';

COMMENT ON COLUMN public.customer_mails.occasion IS 'what the mail is to say, as the fact had it';

COMMENT ON COLUMN public.customer_mails.created_at IS 'instants are of real time';

COMMENT ON COLUMN public.customer_mails.send_at IS 'when it may be sent by the limit on a customer''s mails in an hour';

CREATE TABLE public.customers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    locale text DEFAULT ''::text NOT NULL,
    CONSTRAINT customers_external_id_not_empty CHECK ((external_id <> ''::text)),
    CONSTRAINT customers_locale_is_a_tag CHECK ((locale ~ '^([a-z]{2,3}(-([A-Z]{2}|[0-9]{3}))?)?$'::text))
);

COMMENT ON COLUMN public.customers.locale IS 'the BCP 47 tag of the language to write in; empty: the organisation''s';

CREATE TABLE public.disputes (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider_id text NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    lost_amount numeric(24,6) NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    of_invoice numeric(24,6) DEFAULT 0 NOT NULL,
    CONSTRAINT disputes_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT disputes_have_an_id CHECK ((provider_id <> ''::text)),
    CONSTRAINT disputes_lose_no_more_than_disputed CHECK (((lost_amount >= (0)::numeric) AND (lost_amount <= amount) AND ((state = 'lost'::text) OR (lost_amount = (0)::numeric)))),
    CONSTRAINT disputes_of_invoice_is_a_part CHECK (((of_invoice >= (0)::numeric) AND (of_invoice <= lost_amount))),
    CONSTRAINT disputes_settled_has_its_time CHECK (((state <> 'open'::text) = (settled_at IS NOT NULL))),
    CONSTRAINT disputes_state_known CHECK ((state = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])))
);

COMMENT ON COLUMN public.disputes.of_invoice IS 'what of the lost amount came out of what the invoice had taken';

CREATE TABLE public.email_codes (
    id uuid NOT NULL,
    email text NOT NULL,
    purpose text NOT NULL,
    is_link boolean NOT NULL,
    code_hash bytea NOT NULL,
    registration_id uuid,
    user_id uuid,
    address_hash bytea NOT NULL,
    failed_attempts integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT email_codes_expire_later CHECK ((expires_at > created_at)),
    CONSTRAINT email_codes_failed_attempts_bounded CHECK (((failed_attempts >= 0) AND (failed_attempts <= 5))),
    CONSTRAINT email_codes_hash_is_sha256 CHECK ((octet_length(code_hash) = 32)),
    CONSTRAINT email_codes_purpose_known CHECK ((purpose = ANY (ARRAY['verify_email'::text, 'reset_password'::text, 'set_password'::text])))
);

CREATE TABLE public.event_counts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    month date NOT NULL,
    event_count bigint NOT NULL,
    CONSTRAINT event_counts_month_is_its_first_day CHECK ((EXTRACT(day FROM month) = (1)::numeric)),
    CONSTRAINT event_counts_not_empty CHECK ((event_count > 0))
)
WITH (fillfactor='50');

CREATE TABLE public.event_retention (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    kept_from timestamp with time zone NOT NULL,
    redacted_until timestamp with time zone NOT NULL,
    CONSTRAINT event_retention_redacts_what_is_not_kept CHECK ((redacted_until <= kept_from))
);

CREATE TABLE public.event_volumes (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    since timestamp with time zone NOT NULL,
    event_count bigint NOT NULL,
    CONSTRAINT event_volumes_begin_at_a_quarter_hour CHECK ((date_bin('00:15:00'::interval, since, '2000-01-01 00:00:00+00'::timestamp with time zone) = since)),
    CONSTRAINT event_volumes_not_empty CHECK ((event_count > 0))
)
WITH (fillfactor='50');

CREATE TABLE public.idempotency_records (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    request_key bytea NOT NULL,
    body_hash bytea NOT NULL,
    status integer,
    response_body bytea,
    created_at timestamp with time zone NOT NULL,
    intent jsonb,
    claimed_by uuid,
    claimed_until timestamp with time zone,
    CONSTRAINT idempotency_records_answer_is_whole CHECK (((status IS NULL) = (response_body IS NULL))),
    CONSTRAINT idempotency_records_answered_is_unclaimed CHECK (((status IS NULL) OR (claimed_by IS NULL))),
    CONSTRAINT idempotency_records_claim_is_whole CHECK (((claimed_by IS NULL) = (claimed_until IS NULL))),
    CONSTRAINT idempotency_records_intent_until_answered CHECK (((intent IS NULL) = (status IS NOT NULL))),
    CONSTRAINT idempotency_records_key_is_sha256 CHECK ((octet_length(request_key) = 32)),
    CONSTRAINT idempotency_records_status_kept CHECK ((((status >= 200) AND (status <= 299)) OR (status = ANY (ARRAY[400, 404, 409, 422]))))
);

CREATE TABLE public.invitations (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by uuid NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT invitations_decided_when CHECK (((status = 'pending'::text) = (decided_at IS NULL))),
    CONSTRAINT invitations_email_in_one_spelling CHECK (((email = lower(email)) AND (email <> ''::text))),
    CONSTRAINT invitations_role_known CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
    CONSTRAINT invitations_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'accepted'::text, 'rejected'::text, 'withdrawn'::text, 'expired'::text])))
);

CREATE TABLE public.invoice_collections (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    invoice_id uuid NOT NULL,
    failures integer NOT NULL,
    first_failed_at timestamp with time zone,
    is_link_only boolean NOT NULL,
    has_new_method boolean NOT NULL,
    reminders integer NOT NULL,
    suspended_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL,
    waits_for text DEFAULT ''::text NOT NULL,
    CONSTRAINT invoice_collections_count_from_zero CHECK (((failures >= 0) AND (reminders >= 0))),
    CONSTRAINT invoice_collections_failed_has_its_time CHECK (((failures > 0) = (first_failed_at IS NOT NULL))),
    CONSTRAINT invoice_collections_waits_for_is_known CHECK ((waits_for = ANY (ARRAY[''::text, 'connection'::text, 'email'::text, 'organization'::text])))
);

COMMENT ON COLUMN public.invoice_collections.failures IS 'tries that failed, and steps that passed without a try';

COMMENT ON COLUMN public.invoice_collections.is_link_only IS 'the method is not to be charged again; a new one may be';

COMMENT ON COLUMN public.invoice_collections.has_new_method IS 'a method was saved that was not tried yet';

COMMENT ON COLUMN public.invoice_collections.suspended_at IS 'since when the subscription is suspended for it';

COMMENT ON COLUMN public.invoice_collections.waits_for IS 'what must change before it can be charged at all; empty where nothing must';

CREATE TABLE public.invoice_line_items (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    "position" integer NOT NULL,
    kind text NOT NULL,
    price_id uuid,
    metric_id uuid,
    period_start timestamp with time zone NOT NULL,
    period_end timestamp with time zone NOT NULL,
    description text NOT NULL,
    quantity numeric(38,12) NOT NULL,
    unit_price numeric(30,12) NOT NULL,
    amount numeric(24,6) NOT NULL,
    cumulative_quantity numeric(38,12) NOT NULL,
    cumulative_amount numeric(24,6) NOT NULL,
    price_revision integer,
    created_at timestamp with time zone NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    first_event_at timestamp with time zone,
    last_event_at timestamp with time zone,
    whole_quantity numeric(38,12) NOT NULL,
    uncounted_events bigint DEFAULT 0 NOT NULL,
    CONSTRAINT invoice_line_items_kind_is_one_of_four CHECK ((kind = ANY (ARRAY['usage'::text, 'fee'::text, 'credit'::text, 'rounding'::text]))),
    CONSTRAINT invoice_line_items_rounding_has_no_price CHECK (((kind <> 'rounding'::text) OR ((price_id IS NULL) AND (metric_id IS NULL)))),
    CONSTRAINT invoice_line_items_uncounted_are_of_events CHECK (((uncounted_events >= 0) AND (uncounted_events <= event_count))),
    CONSTRAINT invoice_line_items_usage_has_price CHECK (((kind = 'usage'::text) = ((price_id IS NOT NULL) AND (metric_id IS NOT NULL))))
);

CREATE TABLE public.invoices (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    plan_type text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    number bigint,
    currency text NOT NULL,
    subtotal numeric(24,6) NOT NULL,
    vat_enabled boolean NOT NULL,
    vat_rate numeric(7,4) NOT NULL,
    vat_amount numeric(24,6) NOT NULL,
    wht_rate numeric(7,4) NOT NULL,
    wht_amount numeric(24,6) NOT NULL,
    total numeric(24,6) NOT NULL,
    period_start timestamp with time zone NOT NULL,
    period_end timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    finalized_at timestamp with time zone,
    paid_at timestamp with time zone,
    voided_at timestamp with time zone,
    voided_after bigint,
    due_date timestamp with time zone,
    paid_reference text NOT NULL,
    terms jsonb NOT NULL,
    remeasured jsonb DEFAULT '{}'::jsonb NOT NULL,
    has_credit boolean NOT NULL,
    billing_mode text NOT NULL,
    rounded_off numeric(24,6),
    wallet_paid numeric(24,6) DEFAULT 0 NOT NULL,
    wallet_parts jsonb DEFAULT '[]'::jsonb NOT NULL,
    amount_paid numeric(24,6) DEFAULT 0 NOT NULL,
    is_booked boolean DEFAULT false NOT NULL,
    amount_refunded numeric(24,6) DEFAULT 0 NOT NULL,
    amount_reversed numeric(24,6) DEFAULT 0 NOT NULL,
    collection_reason text DEFAULT ''::text NOT NULL,
    next_collection_at timestamp with time zone,
    amount_disputed numeric(24,6) DEFAULT 0 NOT NULL,
    CONSTRAINT invoices_billing_mode_known CHECK ((billing_mode = ANY (ARRAY['postpaid'::text, 'prepaid'::text, 'realtime'::text]))),
    CONSTRAINT invoices_booked_is_final CHECK (((NOT is_booked) OR (finalized_at IS NOT NULL))),
    CONSTRAINT invoices_collection_reason_in_bounds CHECK ((length(collection_reason) <= 500)),
    CONSTRAINT invoices_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT invoices_disputed_is_refunded CHECK (((amount_disputed >= (0)::numeric) AND (amount_disputed <= amount_refunded))),
    CONSTRAINT invoices_final_is_numbered CHECK (
CASE status
    WHEN 'draft'::text THEN ((finalized_at IS NULL) AND (number IS NULL))
    WHEN 'void'::text THEN ((finalized_at IS NULL) = (number IS NULL))
    ELSE ((finalized_at IS NOT NULL) AND (number IS NOT NULL))
END),
    CONSTRAINT invoices_kind_known CHECK ((kind = ANY (ARRAY['interim'::text, 'closing'::text, 'supplementary'::text]))),
    CONSTRAINT invoices_no_vat_when_disabled CHECK ((vat_enabled OR (vat_amount = (0)::numeric))),
    CONSTRAINT invoices_number_positive CHECK ((number > 0)),
    CONSTRAINT invoices_paid_is_nothing_due CHECK (
CASE
    WHEN (status = 'paid'::text) THEN ((amount_paid = total) AND (paid_at IS NOT NULL))
    WHEN (status = ANY (ARRAY['draft'::text, 'void'::text])) THEN ((amount_paid = (0)::numeric) AND (paid_at IS NULL))
    ELSE ((amount_paid >= (0)::numeric) AND (amount_paid < total) AND (paid_at IS NULL))
END),
    CONSTRAINT invoices_period_half_open CHECK ((period_start < period_end)),
    CONSTRAINT invoices_plan_type_known CHECK ((plan_type = ANY (ARRAY['collection'::text, 'payout'::text]))),
    CONSTRAINT invoices_refunds_within_payments CHECK (((amount_refunded >= (0)::numeric) AND (amount_reversed >= (0)::numeric) AND ((status = 'void'::text) OR ((amount_refunded + amount_reversed) <= amount_paid)))),
    CONSTRAINT invoices_status_known CHECK ((status = ANY (ARRAY['draft'::text, 'finalized'::text, 'paid'::text, 'payment_failed'::text, 'uncollectible'::text, 'void'::text]))),
    CONSTRAINT invoices_tax_fits_plan_type CHECK (
CASE plan_type
    WHEN 'collection'::text THEN (wht_amount = (0)::numeric)
    ELSE (vat_amount = (0)::numeric)
END),
    CONSTRAINT invoices_total_adds_up CHECK ((total = ((subtotal + vat_amount) - wht_amount))),
    CONSTRAINT invoices_void_has_its_place CHECK (((status = 'void'::text) = (voided_after IS NOT NULL))),
    CONSTRAINT invoices_void_has_its_time CHECK (((status = 'void'::text) = (voided_at IS NOT NULL))),
    CONSTRAINT invoices_wallet_paid_is_part_of_it CHECK (((wallet_paid >= (0)::numeric) AND (wallet_paid <= amount_paid))),
    CONSTRAINT invoices_wallets_pay_no_bills CHECK (((wallet_paid = (0)::numeric) OR (plan_type = 'collection'::text)))
);

COMMENT ON TABLE public.invoices IS 'invoices of collection plans, and bills of payout plans';

COMMENT ON COLUMN public.invoices.voided_after IS 'the last number that had been given when it was voided: later invoices did not count it';

COMMENT ON COLUMN public.invoices.terms IS 'what the period was priced by, frozen with the amounts';

COMMENT ON COLUMN public.invoices.remeasured IS 'when replays had the closed period counted anew, by the name of the events; "" for all';

COMMENT ON COLUMN public.invoices.has_credit IS 'whether a line carries or brings a credit';

COMMENT ON COLUMN public.invoices.rounded_off IS 'its lines but `rounding`, less its subtotal; NULL where it was made before rounding was carried';

COMMENT ON COLUMN public.invoices.wallet_paid IS 'the part of it that a wallet and its credits paid';

COMMENT ON COLUMN public.invoices.wallet_parts IS 'the same by its source and metric, those last used at the end';

COMMENT ON COLUMN public.invoices.amount_paid IS 'what was received of the total, by a wallet, by credits or elsewhere';

COMMENT ON COLUMN public.invoices.is_booked IS 'whether it is in the books: not as a draft, nor where it was final before there were books';

COMMENT ON COLUMN public.invoices.amount_refunded IS 'what went back of amount_paid, on its way or there; lost disputes, too';

COMMENT ON COLUMN public.invoices.amount_reversed IS 'what a provider took back of amount_paid';

COMMENT ON COLUMN public.invoices.collection_reason IS 'why it is not paid yet, in plain words; empty where nothing was tried';

COMMENT ON COLUMN public.invoices.next_collection_at IS 'when it is tried or reminded of next';

COMMENT ON COLUMN public.invoices.amount_disputed IS 'what of amount_refunded went back by lost disputes';

CREATE TABLE public.late_usage (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    day timestamp with time zone NOT NULL,
    last_received_at timestamp with time zone NOT NULL
);

COMMENT ON COLUMN public.late_usage.last_received_at IS 'real time at which late events last arrived';

CREATE TABLE public.ledger_accounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    kind public.ledger_account_kind NOT NULL,
    currency public.ledger_currency NOT NULL,
    balance public.ledger_balance DEFAULT 0 NOT NULL,
    sequence public.ledger_sequence DEFAULT 0 NOT NULL,
    chain_hash public.ledger_chain_hash DEFAULT sha256('\x'::bytea) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    moved_at timestamp with time zone,
    customer_id uuid,
    CONSTRAINT ledger_accounts_balance_not_negative CHECK ((((balance)::numeric >= (0)::numeric) OR ((kind)::text = ANY (ARRAY['provider'::text, 'revenue'::text, 'receivable'::text, 'external'::text, 'provider_fees'::text, 'bad_debt'::text, 'dispute_losses'::text, 'payout_expense'::text])))),
    CONSTRAINT ledger_accounts_balance_not_positive CHECK ((((balance)::numeric <= (0)::numeric) OR ((kind)::text <> ALL (ARRAY['receivable'::text, 'external'::text, 'provider_fees'::text, 'bad_debt'::text, 'dispute_losses'::text, 'payout_expense'::text]))))
);

COMMENT ON COLUMN public.ledger_accounts.customer_id IS 'whose account of its kind and currency it is in the books; NULL for the accounts of wallets';

CREATE TABLE public.ledger_requests (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    scope uuid NOT NULL,
    idempotency_key public.ledger_request_key NOT NULL,
    content_hash public.ledger_request_hash NOT NULL,
    transfer_ids uuid[] NOT NULL,
    result jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.ledger_transfers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    from_account_id uuid NOT NULL,
    to_account_id uuid NOT NULL,
    amount public.ledger_amount NOT NULL,
    currency text NOT NULL,
    entry_type public.ledger_entry_type NOT NULL,
    description text NOT NULL,
    reference_type text NOT NULL,
    reference_id text NOT NULL,
    counterparty text NOT NULL,
    idempotency_key text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    from_balance_before numeric(24,6) NOT NULL,
    from_balance_after numeric(24,6) NOT NULL,
    from_sequence public.ledger_entry_sequence NOT NULL,
    from_chain_hash public.ledger_entry_hash NOT NULL,
    to_balance_before numeric(24,6) NOT NULL,
    to_balance_after numeric(24,6) NOT NULL,
    to_sequence public.ledger_entry_sequence NOT NULL,
    to_chain_hash public.ledger_entry_hash NOT NULL,
    CONSTRAINT ledger_transfers_balances_follow CHECK (((from_balance_after = (from_balance_before - (amount)::numeric)) AND (to_balance_after = (to_balance_before + (amount)::numeric)))),
    CONSTRAINT ledger_transfers_between_two_accounts CHECK ((from_account_id <> to_account_id))
);

CREATE TABLE public.mail_suppressions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT mail_suppressions_address_spelled_one_way CHECK (((address = lower(address)) AND ((length(address) >= 1) AND (length(address) <= 255)))),
    CONSTRAINT mail_suppressions_reason_known CHECK ((reason = ANY (ARRAY['bounced'::text, 'unsubscribed'::text])))
);

COMMENT ON COLUMN public.mail_suppressions.created_at IS 'real time';

CREATE TABLE public.mails (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    written_at timestamp with time zone NOT NULL
);

CREATE TABLE public.member_credits (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    user_id uuid NOT NULL,
    day date NOT NULL,
    currency text NOT NULL,
    credited numeric(24,6) NOT NULL,
    credit_limit numeric(24,6) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT member_credits_within_limit CHECK (((credited > (0)::numeric) AND (credited <= credit_limit) AND (credit_limit <> 'NaN'::numeric)))
);

COMMENT ON COLUMN public.member_credits.credit_limit IS 'the limit under which the last of it was credited';

CREATE TABLE public.memberships (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT memberships_role_known CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text])))
);

CREATE TABLE public.metric_versions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    metric_id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    event_name text NOT NULL,
    aggregation text NOT NULL,
    aggregation_property text NOT NULL,
    filters jsonb NOT NULL,
    group_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    value_expression text DEFAULT ''::text NOT NULL,
    customer_property text DEFAULT ''::text NOT NULL,
    CONSTRAINT metric_versions_aggregation_known CHECK ((aggregation = ANY (ARRAY['count'::text, 'sum'::text, 'max'::text, 'minimum'::text, 'average'::text, 'unique'::text]))),
    CONSTRAINT metric_versions_count_from_one CHECK ((version >= 1))
);

CREATE TABLE public.metrics (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    event_name text NOT NULL,
    aggregation text NOT NULL,
    aggregation_property text NOT NULL,
    description text NOT NULL,
    filters jsonb NOT NULL,
    group_by text NOT NULL,
    version integer NOT NULL,
    rollups_from timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    value_expression text DEFAULT ''::text NOT NULL,
    customer_property text DEFAULT ''::text NOT NULL,
    CONSTRAINT metrics_aggregation_known CHECK ((aggregation = ANY (ARRAY['count'::text, 'sum'::text, 'max'::text, 'minimum'::text, 'average'::text, 'unique'::text]))),
    CONSTRAINT metrics_event_name_not_empty CHECK ((event_name <> ''::text)),
    CONSTRAINT metrics_filters_is_a_list CHECK ((jsonb_typeof(filters) = 'array'::text)),
    CONSTRAINT metrics_group_by_is_additive CHECK (((group_by = ''::text) OR (aggregation = ANY (ARRAY['count'::text, 'sum'::text])))),
    CONSTRAINT metrics_rule_names_its_recipient CHECK (((value_expression = ''::text) = (customer_property = ''::text))),
    CONSTRAINT metrics_rule_never_changes CHECK (((value_expression = ''::text) OR ((version = 1) AND (group_by = ''::text)))),
    CONSTRAINT metrics_value_where_needed CHECK (
CASE
    WHEN (value_expression <> ''::text) THEN ((aggregation = 'sum'::text) AND (aggregation_property = ''::text))
    ELSE ((aggregation = 'count'::text) OR (aggregation_property <> ''::text))
END),
    CONSTRAINT metrics_version_from_one CHECK ((version >= 1))
);

COMMENT ON COLUMN public.metrics.version IS 'rises with each change of how events are counted';

COMMENT ON COLUMN public.metrics.rollups_from IS 'from this hour on, the buckets of this version are whole';

COMMENT ON COLUMN public.metrics.value_expression IS 'of a payout rule: what an event is worth; else empty';

COMMENT ON COLUMN public.metrics.customer_property IS 'of a payout rule: the property in which an event names whom it pays; else empty';

CREATE TABLE public.onboarding_steps (
    org_id uuid NOT NULL,
    step text NOT NULL,
    completed_at timestamp with time zone NOT NULL,
    is_by_hand boolean NOT NULL,
    CONSTRAINT onboarding_steps_step_known CHECK ((step = ANY (ARRAY['customer'::text, 'metric'::text, 'plan'::text, 'subscription'::text, 'event'::text, 'invoice'::text, 'connection'::text, 'webhook'::text, 'live_key'::text])))
);

CREATE TABLE public.organizations (
    org_id uuid NOT NULL,
    name text NOT NULL,
    country text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    billing jsonb NOT NULL,
    retention jsonb NOT NULL,
    limits jsonb NOT NULL,
    access jsonb NOT NULL,
    suspended_at timestamp with time zone,
    collection jsonb DEFAULT '{}'::jsonb NOT NULL,
    payouts jsonb DEFAULT '{}'::jsonb NOT NULL,
    mails jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT organizations_access_is_an_object CHECK ((jsonb_typeof(access) = 'object'::text)),
    CONSTRAINT organizations_billing_is_an_object CHECK ((jsonb_typeof(billing) = 'object'::text)),
    CONSTRAINT organizations_collection_is_an_object CHECK ((jsonb_typeof(collection) = 'object'::text)),
    CONSTRAINT organizations_default_currency_available CHECK (((billing -> 'available_currencies'::text) @> (billing -> 'default_currency'::text))),
    CONSTRAINT organizations_event_quota_not_negative CHECK ((((limits ->> 'monthly_event_quota'::text))::bigint >= 0)),
    CONSTRAINT organizations_grace_period_in_bounds CHECK (((((billing -> 'event_ingestion_grace_period_hours'::text))::integer >= 0) AND (((billing -> 'event_ingestion_grace_period_hours'::text))::integer <= 720))),
    CONSTRAINT organizations_limits_is_an_object CHECK ((jsonb_typeof(limits) = 'object'::text)),
    CONSTRAINT organizations_mails_is_an_object CHECK ((jsonb_typeof(mails) = 'object'::text)),
    CONSTRAINT organizations_member_credit_limit_in_bounds CHECK (((((limits ->> 'member_credit_limit'::text))::numeric >= (0)::numeric) AND (((limits ->> 'member_credit_limit'::text))::numeric <= ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT organizations_name_not_empty CHECK ((name <> ''::text)),
    CONSTRAINT organizations_payouts_is_an_object CHECK ((jsonb_typeof(payouts) = 'object'::text)),
    CONSTRAINT organizations_raw_event_retention_in_bounds CHECK (((((retention ->> 'raw_event_retention_days'::text))::integer >= 100) AND (((retention ->> 'raw_event_retention_days'::text))::integer <= 36500))),
    CONSTRAINT organizations_request_rate_in_bounds CHECK (((((limits ->> 'requests_per_second_max'::text))::integer >= 1) AND (((limits ->> 'requests_per_second_max'::text))::integer <= 1000000))),
    CONSTRAINT organizations_retention_is_an_object CHECK ((jsonb_typeof(retention) = 'object'::text)),
    CONSTRAINT organizations_vat_rate_is_a_percentage CHECK (((((billing -> 'vat_rate'::text))::numeric >= (0)::numeric) AND (((billing -> 'vat_rate'::text))::numeric <= (100)::numeric))),
    CONSTRAINT organizations_wht_rate_is_a_percentage CHECK (((((billing -> 'wht_rate'::text))::numeric >= (0)::numeric) AND (((billing -> 'wht_rate'::text))::numeric <= (100)::numeric)))
);

CREATE TABLE public.outbox_deliveries (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscriber text NOT NULL,
    subject_id uuid NOT NULL,
    "position" bigint NOT NULL,
    runs_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    CONSTRAINT outbox_deliveries_attempts_not_negative CHECK ((attempts >= 0)),
    CONSTRAINT outbox_deliveries_failed_says_why CHECK (((attempts = 0) = (reason = ''::text))),
    CONSTRAINT outbox_deliveries_reason_is_short CHECK ((char_length(reason) <= 500))
);

CREATE TABLE public.outbox_facts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subject_id uuid NOT NULL,
    "position" bigint NOT NULL,
    subject text NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    actor text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    published_as text,
    CONSTRAINT outbox_facts_payload_is_an_object CHECK ((jsonb_typeof(payload) = 'object'::text)),
    CONSTRAINT outbox_facts_position_positive CHECK (("position" > 0)),
    CONSTRAINT outbox_facts_published_by_name CHECK ((published_as <> ''::text))
);

COMMENT ON COLUMN public.outbox_facts.published_as IS 'the name under which merchants see it, if they do';

CREATE TABLE public.outbox_listeners (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscriber text NOT NULL,
    CONSTRAINT outbox_listeners_subscriber_not_empty CHECK ((subscriber <> ''::text))
);

CREATE TABLE public.passkey_challenges (
    session_id uuid NOT NULL,
    purpose text NOT NULL,
    challenge bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT passkey_challenges_challenge_is_long CHECK ((octet_length(challenge) = 32)),
    CONSTRAINT passkey_challenges_purpose_known CHECK ((purpose = ANY (ARRAY['register'::text, 'reauthenticate'::text])))
);

CREATE TABLE public.passkeys (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    CONSTRAINT passkeys_credential_is_short CHECK (((octet_length(credential_id) >= 1) AND (octet_length(credential_id) <= 1023))),
    CONSTRAINT passkeys_name_is_short CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT passkeys_sign_count_not_negative CHECK ((sign_count >= 0))
);

CREATE TABLE public.payment_connections (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    label text NOT NULL,
    is_enabled boolean NOT NULL,
    is_test_mode boolean NOT NULL,
    supported_currencies text[] NOT NULL,
    channels text[] NOT NULL,
    fee_bearer text NOT NULL,
    provider_options jsonb NOT NULL,
    forward_url text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT payment_connections_deleted_are_disabled CHECK (((deleted_at IS NULL) OR (NOT is_enabled))),
    CONSTRAINT payment_connections_fee_bearer_known CHECK ((fee_bearer = ANY (ARRAY['merchant'::text, 'customer'::text]))),
    CONSTRAINT payment_connections_have_currencies CHECK ((cardinality(supported_currencies) > 0)),
    CONSTRAINT payment_connections_options_are_an_object CHECK ((jsonb_typeof(provider_options) = 'object'::text)),
    CONSTRAINT payment_connections_provider_not_empty CHECK ((provider <> ''::text))
);

COMMENT ON COLUMN public.payment_connections.is_test_mode IS 'of which mode its webhook secret and settings are sent';

CREATE TABLE public.payment_credentials (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    connection_id uuid NOT NULL,
    keys_ciphertext bytea,
    public_key text NOT NULL,
    contract_code text NOT NULL,
    source_account_number text NOT NULL,
    has_webhook_secret boolean NOT NULL,
    previous_ciphertext bytea,
    previous_until timestamp with time zone,
    known_kind text NOT NULL,
    known_reference text NOT NULL,
    health_state text NOT NULL,
    last_success_at timestamp with time zone,
    last_error text NOT NULL,
    last_error_at timestamp with time zone,
    otp_on boolean,
    balance jsonb,
    balance_at timestamp with time zone,
    webhook_last_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_credentials_balance_is_whole CHECK (((balance IS NULL) = (balance_at IS NULL))),
    CONSTRAINT payment_credentials_error_is_whole CHECK (((last_error = ''::text) = (last_error_at IS NULL))),
    CONSTRAINT payment_credentials_health_known CHECK ((health_state = ANY (ARRAY['unchecked'::text, 'healthy'::text, 'failing'::text, 'unauthorized'::text]))),
    CONSTRAINT payment_credentials_healthy_have_answered CHECK (((health_state <> 'healthy'::text) OR (last_success_at IS NOT NULL))),
    CONSTRAINT payment_credentials_known_is_whole CHECK (((known_kind = ''::text) = (known_reference = ''::text))),
    CONSTRAINT payment_credentials_previous_is_whole CHECK (((previous_ciphertext IS NULL) = (previous_until IS NULL)))
);

CREATE TABLE public.payment_defaults (
    org_id uuid NOT NULL,
    purpose text NOT NULL,
    currency text NOT NULL,
    connection_id uuid NOT NULL,
    CONSTRAINT payment_defaults_purpose_known CHECK ((purpose = ANY (ARRAY['collect'::text, 'pay_out'::text])))
);

CREATE TABLE public.payment_methods (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    type text NOT NULL,
    token bytea,
    fingerprint_hash bytea NOT NULL,
    email text NOT NULL,
    brand text NOT NULL,
    last4 text NOT NULL,
    exp_month integer,
    exp_year integer,
    bank text NOT NULL,
    is_default boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT payment_methods_charged_by_token CHECK (((removed_at IS NOT NULL) OR (token IS NOT NULL))),
    CONSTRAINT payment_methods_default_is_there CHECK (((removed_at IS NULL) OR (NOT is_default))),
    CONSTRAINT payment_methods_expire_in_a_month CHECK ((((exp_month IS NULL) = (exp_year IS NULL)) AND ((exp_month >= 1) AND (exp_month <= 12)) AND ((exp_year >= 2000) AND (exp_year <= 2199)))),
    CONSTRAINT payment_methods_last4_is_short CHECK ((length(last4) <= 4)),
    CONSTRAINT payment_methods_type_known CHECK ((type = ANY (ARRAY['card'::text, 'bank_account'::text, 'mobile_money'::text])))
);

CREATE TABLE public.payments (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    provider_id text NOT NULL,
    rail_id text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    charge_id uuid,
    virtual_account_id uuid,
    customer_id uuid,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    fee numeric(24,6) NOT NULL,
    fee_by_payer numeric(24,6) NOT NULL,
    is_by_person boolean NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    invoice_id uuid,
    to_invoice numeric(24,6) NOT NULL,
    wallet_id uuid,
    to_wallet numeric(24,6) NOT NULL,
    refunded numeric(24,6) NOT NULL,
    reversed numeric(24,6) NOT NULL,
    uncovered numeric(24,6) DEFAULT 0 NOT NULL,
    uncovered_at timestamp with time zone,
    beyond numeric(24,6) DEFAULT 0 NOT NULL,
    CONSTRAINT payments_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT payments_beyond_all_that_came CHECK (((beyond >= (0)::numeric) AND (beyond <> 'NaN'::numeric) AND ((beyond = (0)::numeric) OR ((refunded + reversed) = amount)))),
    CONSTRAINT payments_fee_not_negative CHECK (((fee >= (0)::numeric) AND (fee <> 'NaN'::numeric) AND (fee_by_payer >= (0)::numeric) AND (fee_by_payer <> 'NaN'::numeric))),
    CONSTRAINT payments_give_back_no_more_than_came CHECK (((refunded >= (0)::numeric) AND (reversed >= (0)::numeric) AND ((refunded + reversed) <= amount))),
    CONSTRAINT payments_go_somewhere_whole CHECK (((to_invoice >= (0)::numeric) AND (to_wallet >= (0)::numeric) AND (((to_invoice + to_wallet) = (0)::numeric) OR ((to_invoice + to_wallet) = amount)) AND ((to_invoice > (0)::numeric) <= (invoice_id IS NOT NULL)) AND ((to_wallet > (0)::numeric) <= (wallet_id IS NOT NULL)))),
    CONSTRAINT payments_have_an_id CHECK ((provider_id <> ''::text)),
    CONSTRAINT payments_kind_known CHECK ((kind = ANY (ARRAY['charge'::text, 'deposit'::text]))),
    CONSTRAINT payments_purpose_known CHECK ((purpose = ANY (ARRAY['invoice'::text, 'wallet'::text, 'top_up'::text, 'card_setup'::text, 'unmatched'::text]))),
    CONSTRAINT payments_source_fits_kind CHECK ((((charge_id IS NULL) OR (kind = 'charge'::text)) AND ((virtual_account_id IS NULL) OR (kind = 'deposit'::text)))),
    CONSTRAINT payments_uncovered_has_its_time CHECK (((uncovered > (0)::numeric) = (uncovered_at IS NOT NULL))),
    CONSTRAINT payments_uncovered_went_back CHECK (((uncovered >= (0)::numeric) AND (uncovered <> 'NaN'::numeric) AND (uncovered <= ((reversed + refunded) + beyond)))),
    CONSTRAINT payments_unmatched_goes_back CHECK (((purpose <> 'unmatched'::text) OR ((to_invoice + to_wallet) = (0)::numeric))),
    CONSTRAINT payments_unmatched_is_nobodys CHECK (((purpose = 'unmatched'::text) = (customer_id IS NULL)))
);

COMMENT ON COLUMN public.payments.uncovered IS 'what went back of it without its customer giving it up: the customer owes it';

COMMENT ON COLUMN public.payments.uncovered_at IS 'since when, of the tenant''s time';

COMMENT ON COLUMN public.payments.beyond IS 'what refunds sent back after all of it had gone: nobody is entitled to it';

CREATE TABLE public.payout_accounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    account_name text NOT NULL,
    payout_method text NOT NULL,
    bank_name text NOT NULL,
    bank_code text NOT NULL,
    number_ciphertext bytea NOT NULL,
    last4 text NOT NULL,
    currency text NOT NULL,
    is_default boolean NOT NULL,
    metadata jsonb NOT NULL,
    resolution text NOT NULL,
    resolved_name text NOT NULL,
    resolution_reason text NOT NULL,
    resolution_tries integer NOT NULL,
    resolved_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT payout_accounts_currency_is_a_code CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payout_accounts_default_is_there CHECK (((deleted_at IS NULL) OR (NOT is_default))),
    CONSTRAINT payout_accounts_last4_is_short CHECK (((length(last4) >= 1) AND (length(last4) <= 4))),
    CONSTRAINT payout_accounts_metadata_is_an_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT payout_accounts_method_known CHECK ((payout_method = ANY (ARRAY['bank_transfer'::text, 'mobile_money'::text]))),
    CONSTRAINT payout_accounts_resolution_known CHECK ((resolution = ANY (ARRAY['unresolved'::text, 'matched'::text, 'mismatched'::text, 'not_found'::text, 'unsupported'::text]))),
    CONSTRAINT payout_accounts_resolved_has_a_name CHECK (((resolution = ANY (ARRAY['matched'::text, 'mismatched'::text])) = (resolved_name <> ''::text))),
    CONSTRAINT payout_accounts_resolved_has_its_time CHECK (((resolution = 'unresolved'::text) = (resolved_at IS NULL))),
    CONSTRAINT payout_accounts_tries_count_from_zero CHECK ((resolution_tries >= 0))
);

COMMENT ON COLUMN public.payout_accounts.changed_at IS 'when what is paid to was set or changed last; of the tenant''s time, as created_at and updated_at';

CREATE TABLE public.payout_batches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    currency text NOT NULL,
    hour timestamp with time zone NOT NULL,
    amount numeric(24,6) NOT NULL,
    CONSTRAINT payout_batches_not_negative CHECK (((amount >= (0)::numeric) AND (amount <> 'NaN'::numeric)))
);

CREATE TABLE public.payout_legs (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    "position" integer NOT NULL,
    customer_id uuid NOT NULL,
    to_account_id uuid,
    payee_id uuid,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    state text NOT NULL,
    is_in_flight boolean NOT NULL,
    transfer_id uuid,
    failure_code text NOT NULL,
    failure_reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    settled_at timestamp with time zone,
    CONSTRAINT payout_legs_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT payout_legs_go_by_a_transfer CHECK (((transfer_id IS NOT NULL) = (state = ANY (ARRAY['sending'::text, 'paid'::text])))),
    CONSTRAINT payout_legs_in_flight_are_sending CHECK (((NOT is_in_flight) OR (state = 'sending'::text))),
    CONSTRAINT payout_legs_paid_has_its_time CHECK (((state = 'paid'::text) = (settled_at IS NOT NULL))),
    CONSTRAINT payout_legs_position_from_zero CHECK (("position" >= 0)),
    CONSTRAINT payout_legs_sent_has_its_payee CHECK ((((sent_at IS NULL) = (payee_id IS NULL)) AND ((transfer_id IS NULL) OR (sent_at IS NOT NULL)))),
    CONSTRAINT payout_legs_state_known CHECK ((state = ANY (ARRAY['owed'::text, 'sending'::text, 'paid'::text])))
);

CREATE TABLE public.payout_parts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    transfer_id uuid NOT NULL,
    leg_id uuid NOT NULL,
    amount numeric(24,6) NOT NULL,
    is_excess boolean NOT NULL,
    CONSTRAINT payout_parts_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric)))
);

COMMENT ON COLUMN public.payout_parts.is_excess IS 'the payee has it beside what was owed: another transfer paid the leg, or the bill was void';

CREATE TABLE public.payout_splits (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    plan_id uuid NOT NULL,
    "position" integer NOT NULL,
    payout_account_id uuid NOT NULL,
    percentage numeric(7,4),
    amount numeric(24,6),
    CONSTRAINT payout_splits_one_way CHECK ((((percentage IS NULL) <> (amount IS NULL)) AND (percentage > (0)::numeric) AND (percentage <= (100)::numeric) AND (amount > (0)::numeric) AND (amount <> 'NaN'::numeric)))
);

CREATE TABLE public.payouts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    bill_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    hold_reason text NOT NULL,
    held_by text,
    held_at timestamp with time zone,
    initiated_by text,
    initiated_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT payouts_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payouts_hold_is_whole CHECK ((((held_at IS NULL) = (held_by IS NULL)) AND ((held_at IS NULL) = (hold_reason = ''::text)))),
    CONSTRAINT payouts_hold_reason_in_bounds CHECK ((length(hold_reason) <= 500)),
    CONSTRAINT payouts_initiated_is_whole CHECK (((initiated_by IS NULL) = (initiated_at IS NULL))),
    CONSTRAINT payouts_reason_in_bounds CHECK ((length(reason) <= 500)),
    CONSTRAINT payouts_state_known CHECK ((state = ANY (ARRAY['due'::text, 'needs_approval'::text, 'below_minimum'::text, 'blocked'::text, 'sending'::text, 'paid'::text, 'failed'::text, 'void'::text])))
);

COMMENT ON COLUMN public.payouts.reason IS 'why it is not paid yet, in plain words';

CREATE TABLE public.pgqueuer (
    id bigint NOT NULL,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    execute_after timestamp with time zone DEFAULT now() NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    slot bigint
);

CREATE SEQUENCE public.pgqueuer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_id_seq OWNED BY public.pgqueuer.id;

CREATE TABLE public.pgqueuer_log (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    job_id bigint NOT NULL,
    status public.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

ALTER TABLE public.pgqueuer_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.pgqueuer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pgqueuer_schedules (
    id bigint NOT NULL,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    next_run timestamp with time zone DEFAULT now() NOT NULL,
    last_run timestamp with time zone,
    status public.pgqueuer_status DEFAULT 'queued'::public.pgqueuer_status
);

CREATE SEQUENCE public.pgqueuer_schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_schedules_id_seq OWNED BY public.pgqueuer_schedules.id;

CREATE TABLE public.pgqueuer_statistics (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT date_trunc('sec'::text, now()) NOT NULL,
    count bigint NOT NULL,
    priority integer NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE SEQUENCE public.pgqueuer_statistics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_statistics_id_seq OWNED BY public.pgqueuer_statistics.id;

CREATE TABLE public.plan_revisions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    plan_id uuid NOT NULL,
    revision integer NOT NULL,
    apply_to text NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    base_fee numeric(24,6) NOT NULL,
    base_fee_timing text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT plan_revisions_apply_to_known CHECK ((apply_to = ANY (ARRAY['all'::text, 'next_period'::text, 'new'::text]))),
    CONSTRAINT plan_revisions_base_fee_not_negative CHECK ((base_fee >= (0)::numeric)),
    CONSTRAINT plan_revisions_base_fee_timing_known CHECK ((base_fee_timing = ANY (ARRAY['in_arrears'::text, 'in_advance'::text]))),
    CONSTRAINT plan_revisions_count_from_one CHECK ((revision >= 1)),
    CONSTRAINT plan_revisions_first_always_applies CHECK (
CASE
    WHEN (revision = 1) THEN ((apply_to = 'all'::text) AND (effective_at = '-infinity'::timestamp with time zone))
    ELSE isfinite(effective_at)
END)
);

CREATE TABLE public.plan_simulations (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    status text NOT NULL,
    request jsonb NOT NULL,
    subscriptions_total integer NOT NULL,
    subscriptions_done integer NOT NULL,
    report jsonb,
    error_message text NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT plan_simulations_completed_has_its_report CHECK (((status = 'completed'::text) = (report IS NOT NULL))),
    CONSTRAINT plan_simulations_counts_not_negative CHECK (((subscriptions_total >= 0) AND (subscriptions_done >= 0))),
    CONSTRAINT plan_simulations_ended_has_its_time CHECK (((status = ANY (ARRAY['completed'::text, 'failed'::text])) = (completed_at IS NOT NULL))),
    CONSTRAINT plan_simulations_failed_says_why CHECK (((status = 'failed'::text) = (error_message <> ''::text))),
    CONSTRAINT plan_simulations_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text])))
);

CREATE TABLE public.plans (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    currency text NOT NULL,
    plan_type text NOT NULL,
    billing_period text NOT NULL,
    billing_mode text NOT NULL,
    trial_period_days integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT plans_billing_mode_known CHECK ((billing_mode = ANY (ARRAY['postpaid'::text, 'prepaid'::text, 'realtime'::text]))),
    CONSTRAINT plans_billing_period_known CHECK ((billing_period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text, 'quarterly'::text, 'annually'::text]))),
    CONSTRAINT plans_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT plans_trial_in_bounds CHECK (((trial_period_days >= 0) AND (trial_period_days <= 730))),
    CONSTRAINT plans_type_known CHECK ((plan_type = ANY (ARRAY['collection'::text, 'payout'::text])))
);

CREATE TABLE public.platform_admins (
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.portal_token_lookups (
    token_hash bytea NOT NULL,
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    token_id uuid NOT NULL,
    CONSTRAINT portal_token_lookups_hash_is_sha256 CHECK ((octet_length(token_hash) = 32))
);

CREATE TABLE public.portal_tokens (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    kind text NOT NULL,
    access text NOT NULL,
    label text NOT NULL,
    secret_ciphertext bytea NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT portal_tokens_access_known CHECK ((access = ANY (ARRAY['read'::text, 'full'::text]))),
    CONSTRAINT portal_tokens_kind_known CHECK ((kind = ANY (ARRAY['link'::text, 'session'::text]))),
    CONSTRAINT portal_tokens_sessions_end CHECK (((kind = 'link'::text) OR (expires_at IS NOT NULL)))
);

CREATE TABLE public.price_overrides (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    price_id uuid NOT NULL,
    model text NOT NULL,
    unit_price numeric(30,12),
    tiers jsonb,
    valid_from timestamp with time zone NOT NULL,
    valid_until timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT price_overrides_end_after_start CHECK ((valid_until > valid_from)),
    CONSTRAINT price_overrides_model_known CHECK ((model = ANY (ARRAY['flat_unit'::text, 'flat'::text, 'per_unit'::text, 'tiered'::text, 'graduated'::text, 'volume'::text, 'weighted_tiered'::text, 'package'::text, 'overage'::text, 'percentage'::text]))),
    CONSTRAINT price_overrides_shape_fits_model CHECK (
CASE
    WHEN (model = ANY (ARRAY['flat_unit'::text, 'flat'::text, 'per_unit'::text])) THEN (unit_price IS NOT NULL)
    ELSE (tiers IS NOT NULL)
END),
    CONSTRAINT price_overrides_unit_price_not_negative CHECK ((unit_price >= (0)::numeric))
);

COMMENT ON COLUMN public.price_overrides.valid_until IS 'exclusive; NULL: without end';

CREATE TABLE public.price_revisions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    price_id uuid NOT NULL,
    revision integer NOT NULL,
    plan_id uuid NOT NULL,
    plan_revision integer NOT NULL,
    metric_id uuid NOT NULL,
    "position" integer NOT NULL,
    model text NOT NULL,
    unit_price numeric(30,12),
    tiers jsonb,
    flat_fee numeric(24,6) NOT NULL,
    minimum_amount numeric(24,6),
    maximum_amount numeric(24,6),
    removed boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT price_revisions_amounts_not_negative CHECK (((flat_fee >= (0)::numeric) AND (minimum_amount >= (0)::numeric) AND (maximum_amount >= (0)::numeric))),
    CONSTRAINT price_revisions_count_from_one CHECK ((revision >= 1)),
    CONSTRAINT price_revisions_maximum_from_minimum CHECK ((maximum_amount >= minimum_amount)),
    CONSTRAINT price_revisions_model_known CHECK ((model = ANY (ARRAY['flat_unit'::text, 'flat'::text, 'per_unit'::text, 'tiered'::text, 'graduated'::text, 'volume'::text, 'weighted_tiered'::text, 'package'::text, 'overage'::text, 'percentage'::text]))),
    CONSTRAINT price_revisions_shape_fits_model CHECK (
CASE
    WHEN (model = ANY (ARRAY['flat_unit'::text, 'flat'::text, 'per_unit'::text])) THEN (unit_price IS NOT NULL)
    ELSE (tiers IS NOT NULL)
END),
    CONSTRAINT price_revisions_unit_price_not_negative CHECK ((unit_price >= (0)::numeric))
);

CREATE TABLE public.prices (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.provider_calls (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    verb text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    reference text NOT NULL,
    status integer,
    fault text NOT NULL,
    milliseconds integer NOT NULL,
    sent text NOT NULL,
    received text NOT NULL,
    called_at timestamp with time zone NOT NULL,
    CONSTRAINT provider_calls_are_bounded CHECK (((octet_length(sent) <= 16000) AND (octet_length(received) <= 16000))),
    CONSTRAINT provider_calls_duration_not_negative CHECK ((milliseconds >= 0)),
    CONSTRAINT provider_calls_ended_somehow CHECK (((status IS NULL) = (fault <> ''::text)))
);

CREATE TABLE public.provider_events (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    body_hash bytea NOT NULL,
    letter_ciphertext bytea NOT NULL,
    is_proven boolean NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    tries integer NOT NULL,
    kind text NOT NULL,
    payment_state text NOT NULL,
    reference text NOT NULL,
    provider_id text NOT NULL,
    rail_id text NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6),
    fee numeric(24,6),
    fee_by_payer numeric(24,6),
    occurred_at timestamp with time zone,
    account text NOT NULL,
    is_confirmed boolean NOT NULL,
    invoice_id uuid,
    wallet_id uuid,
    received_at timestamp with time zone NOT NULL,
    handled_at timestamp with time zone,
    refund_id uuid,
    CONSTRAINT provider_events_amount_in_a_currency CHECK (((amount IS NULL) OR (currency <> ''::text))),
    CONSTRAINT provider_events_amounts_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric) AND (fee >= (0)::numeric) AND (fee <> 'NaN'::numeric) AND (fee_by_payer >= (0)::numeric) AND (fee_by_payer <> 'NaN'::numeric))),
    CONSTRAINT provider_events_handled_in_the_end CHECK (((handled_at IS NULL) = (state = ANY (ARRAY['received'::text, 'parked'::text, 'failed'::text])))),
    CONSTRAINT provider_events_hash_is_sha256 CHECK ((octet_length(body_hash) = 32)),
    CONSTRAINT provider_events_letter_is_bounded CHECK ((octet_length(letter_ciphertext) <= 1100000)),
    CONSTRAINT provider_events_matched_with_one CHECK ((num_nonnulls(invoice_id, wallet_id) = ((state = 'matched'::text))::integer)),
    CONSTRAINT provider_events_refunded_by_one CHECK (((state = 'refunded'::text) = (refund_id IS NOT NULL))),
    CONSTRAINT provider_events_say_why CHECK (((state <> ALL (ARRAY['parked'::text, 'failed'::text, 'foreign'::text, 'ignored'::text])) OR (reason <> ''::text))),
    CONSTRAINT provider_events_state_known CHECK ((state = ANY (ARRAY['received'::text, 'applied'::text, 'parked'::text, 'failed'::text, 'foreign'::text, 'matched'::text, 'ignored'::text, 'refunded'::text]))),
    CONSTRAINT provider_events_tries_not_negative CHECK ((tries >= 0))
);

COMMENT ON COLUMN public.provider_events.is_proven IS 'its signature proves every byte, and its mode';

CREATE TABLE public.realtime_charges (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    period_start timestamp with time zone NOT NULL,
    charged numeric(24,6) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    parts jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT realtime_charges_not_negative CHECK ((charged >= (0)::numeric))
);

COMMENT ON COLUMN public.realtime_charges.parts IS 'what is charged, by its source and metric, those last used at the end';

CREATE TABLE public.reconciliation_looks (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    connection_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    listed integer NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    CONSTRAINT reconciliation_looks_listed_not_negative CHECK ((listed >= 0)),
    CONSTRAINT reconciliation_looks_times_in_order CHECK (((since < until) AND (until <= finished_at)))
);

CREATE TABLE public.reconciliation_rows (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    reference text NOT NULL,
    provider_id text NOT NULL,
    our_state text NOT NULL,
    our_amount numeric(24,6),
    our_currency text NOT NULL,
    their_state text NOT NULL,
    their_amount numeric(24,6),
    their_currency text NOT NULL,
    next_step text NOT NULL,
    reason text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    found_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    listed_as text DEFAULT 'charge'::text NOT NULL,
    CONSTRAINT reconciliation_rows_amounts_in_a_currency CHECK ((((our_amount IS NULL) = (our_currency = ''::text)) AND ((their_amount IS NULL) = (their_currency = ''::text)))),
    CONSTRAINT reconciliation_rows_amounts_positive CHECK (((our_amount > (0)::numeric) AND (our_amount <> 'NaN'::numeric) AND (their_amount >= (0)::numeric) AND (their_amount <> 'NaN'::numeric))),
    CONSTRAINT reconciliation_rows_kind_known CHECK ((kind = ANY (ARRAY['missing_here'::text, 'missing_there'::text, 'other_amount'::text, 'other_state'::text]))),
    CONSTRAINT reconciliation_rows_listed_as_known CHECK ((listed_as = ANY (ARRAY['charge'::text, 'transfer'::text]))),
    CONSTRAINT reconciliation_rows_next_step_known CHECK ((next_step = ANY (ARRAY['taken_over'::text, 'compared_again'::text, 'person'::text]))),
    CONSTRAINT reconciliation_rows_subject_not_empty CHECK ((subject <> ''::text)),
    CONSTRAINT reconciliation_rows_taken_over_are_settled CHECK (((next_step <> 'taken_over'::text) OR (settled_at IS NOT NULL))),
    CONSTRAINT reconciliation_rows_times_in_order CHECK ((found_at <= seen_at))
);

CREATE TABLE public.recovery_codes (
    user_id uuid NOT NULL,
    code_hash bytea NOT NULL
);

CREATE TABLE public.refunds (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    payment_id uuid,
    charge_id uuid,
    invoice_id uuid,
    customer_id uuid,
    connection_id uuid,
    provider text NOT NULL,
    attempt integer NOT NULL,
    reference text NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    reason text NOT NULL,
    destination text NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    failure_code text,
    failure_reason text NOT NULL,
    provider_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    settled_at timestamp with time zone,
    asked integer NOT NULL,
    asked_at timestamp with time zone,
    first_not_found_at timestamp with time zone,
    needs_person_at timestamp with time zone,
    resolved_by text,
    resolved_at timestamp with time zone,
    note text NOT NULL,
    of_invoice numeric(24,6) DEFAULT 0 NOT NULL,
    CONSTRAINT refunds_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT refunds_attempts_count_from_one CHECK (((attempt > 0) AND (asked >= 0))),
    CONSTRAINT refunds_destination_known CHECK ((destination = ANY (ARRAY['provider'::text, 'wallet'::text]))),
    CONSTRAINT refunds_failed_says_why CHECK ((((state <> 'failed'::text) OR (failure_code IS NOT NULL)) AND ((failure_code IS NOT NULL) OR (failure_reason = ''::text)))),
    CONSTRAINT refunds_give_back_something CHECK ((((payment_id IS NOT NULL) OR ((invoice_id IS NOT NULL) AND (destination = 'wallet'::text))) AND ((payment_id IS NOT NULL) = (connection_id IS NOT NULL)))),
    CONSTRAINT refunds_of_invoice_is_a_part CHECK (((of_invoice >= (0)::numeric) AND (of_invoice <= amount) AND ((of_invoice = (0)::numeric) OR (state = 'succeeded'::text)))),
    CONSTRAINT refunds_of_nobody_are_of_a_payment CHECK (((customer_id IS NOT NULL) OR ((payment_id IS NOT NULL) AND (invoice_id IS NULL) AND (destination = 'provider'::text)))),
    CONSTRAINT refunds_resolution_is_whole CHECK ((((resolved_by IS NULL) = (resolved_at IS NULL)) AND ((resolved_by IS NOT NULL) OR (note = ''::text)))),
    CONSTRAINT refunds_settled_has_its_time CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text])) = (settled_at IS NOT NULL))),
    CONSTRAINT refunds_state_known CHECK ((state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text, 'succeeded'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.refunds.of_invoice IS 'what of it came out of what the invoice had taken';

CREATE TABLE public.registrations (
    id uuid NOT NULL,
    email text NOT NULL,
    full_name text NOT NULL,
    password_hash text NOT NULL,
    address_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT registrations_email_in_one_spelling CHECK (((email = lower(email)) AND (email <> ''::text))),
    CONSTRAINT registrations_password_is_hashed CHECK ((password_hash ~~ '$argon2id$%'::text))
);

CREATE TABLE public.replay_jobs (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    initiated_by text NOT NULL,
    status text NOT NULL,
    from_timestamp timestamp with time zone NOT NULL,
    to_timestamp timestamp with time zone NOT NULL,
    event_name text NOT NULL,
    metric_id uuid,
    metric_version integer,
    dry_run boolean NOT NULL,
    events_total bigint NOT NULL,
    events_replayed bigint NOT NULL,
    next_customer_id uuid,
    next_hour timestamp with time zone,
    report jsonb,
    error_message text NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT replay_jobs_counts_not_negative CHECK (((events_total >= 0) AND (events_replayed >= 0))),
    CONSTRAINT replay_jobs_ended_has_its_time CHECK (((status = ANY (ARRAY['completed'::text, 'failed'::text, 'canceled'::text])) = (completed_at IS NOT NULL))),
    CONSTRAINT replay_jobs_failed_says_why CHECK (((status = 'failed'::text) = (error_message <> ''::text))),
    CONSTRAINT replay_jobs_metric_has_its_version CHECK (((metric_id IS NULL) = (metric_version IS NULL))),
    CONSTRAINT replay_jobs_pending_has_not_started CHECK (((status <> 'pending'::text) OR (started_at IS NULL))),
    CONSTRAINT replay_jobs_report_of_dry_run CHECK (((report IS NULL) OR dry_run)),
    CONSTRAINT replay_jobs_started_has_its_time CHECK (((status <> ALL (ARRAY['processing'::text, 'completed'::text])) OR (started_at IS NOT NULL))),
    CONSTRAINT replay_jobs_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'canceled'::text]))),
    CONSTRAINT replay_jobs_window_half_open CHECK ((from_timestamp < to_timestamp))
);

CREATE TABLE public.schema_functions (
    name text NOT NULL,
    checksum text NOT NULL,
    made text[] NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    salt bytea NOT NULL,
    generation integer NOT NULL,
    rotated_at timestamp with time zone NOT NULL,
    recent_rotations timestamp with time zone[] NOT NULL,
    user_agent text NOT NULL,
    address text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    authenticated_at timestamp with time zone NOT NULL,
    second_factor_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT sessions_expire_after_rotation CHECK ((expires_at > rotated_at)),
    CONSTRAINT sessions_generation_positive CHECK ((generation > 0)),
    CONSTRAINT sessions_salt_is_long CHECK ((octet_length(salt) = 32))
);

CREATE TABLE public.sign_in_attempts (
    id uuid NOT NULL,
    email_hash bytea NOT NULL,
    address_hash bytea NOT NULL,
    succeeded boolean NOT NULL,
    attempted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.sign_in_challenges (
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    passkey_challenge bytea NOT NULL,
    user_id uuid NOT NULL,
    failed_attempts integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT sign_in_challenges_challenge_is_long CHECK ((octet_length(passkey_challenge) = 32)),
    CONSTRAINT sign_in_challenges_expire_later CHECK ((expires_at > created_at)),
    CONSTRAINT sign_in_challenges_failed_attempts_bounded CHECK (((failed_attempts >= 0) AND (failed_attempts <= 5)))
);

CREATE TABLE public.signing_keys (
    id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.subscription_pauses (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    reason text NOT NULL,
    CONSTRAINT subscription_pauses_half_open CHECK ((started_at <= ended_at)),
    CONSTRAINT subscription_pauses_reason_known CHECK ((reason = ANY (ARRAY['merchant'::text, 'insufficient_balance'::text, 'dunning'::text])))
);

CREATE TABLE public.subscription_phases (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    plan_id uuid NOT NULL,
    billing_period text NOT NULL,
    anchor_at timestamp with time zone NOT NULL,
    agreed_at timestamp with time zone NOT NULL,
    agreed_revision integer NOT NULL
);

CREATE TABLE public.subscription_stretches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan_type text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT subscription_stretches_end_after_start CHECK ((ended_at > started_at))
);

COMMENT ON COLUMN public.subscription_stretches.ended_at IS 'exclusive; NULL: no end is known yet';

CREATE TABLE public.subscription_timeline (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    subscription_id uuid NOT NULL,
    "position" integer NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    event text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT subscription_timeline_event_known CHECK ((event = ANY (ARRAY['created'::text, 'paused'::text, 'resumed'::text, 'plan_changed'::text, 'plan_change_scheduled'::text, 'plan_change_withdrawn'::text, 'cancel_scheduled'::text, 'cancel_withdrawn'::text, 'canceled'::text])))
);

CREATE TABLE public.subscriptions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    plan_type text NOT NULL,
    status text NOT NULL,
    pause_reason text,
    timezone text NOT NULL,
    billing_period text NOT NULL,
    billing_anchor text NOT NULL,
    anchor_at timestamp with time zone NOT NULL,
    phase_started_at timestamp with time zone NOT NULL,
    start_date timestamp with time zone NOT NULL,
    end_date timestamp with time zone,
    trial_ends_at timestamp with time zone,
    cancel_at_period_end boolean NOT NULL,
    canceled_at timestamp with time zone,
    closed_until timestamp with time zone NOT NULL,
    recheck_from timestamp with time zone,
    late_usage_checked_at timestamp with time zone NOT NULL,
    billing_error text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    phase_agreed_at timestamp with time zone NOT NULL,
    cancel_at timestamp with time zone,
    scheduled_plan_id uuid,
    scheduled_at timestamp with time zone,
    trial_plan_id uuid,
    phase_agreed_revision integer NOT NULL,
    CONSTRAINT subscriptions_billing_anchor_known CHECK ((billing_anchor = ANY (ARRAY['subscription_start'::text, 'month_start'::text]))),
    CONSTRAINT subscriptions_cancel_at_is_flagged CHECK (((cancel_at IS NULL) OR cancel_at_period_end)),
    CONSTRAINT subscriptions_canceled_has_its_time CHECK (((status = 'canceled'::text) = (canceled_at IS NOT NULL))),
    CONSTRAINT subscriptions_canceled_has_no_scheduled_plan CHECK (((status <> 'canceled'::text) OR (scheduled_plan_id IS NULL))),
    CONSTRAINT subscriptions_closed_within_life CHECK (((closed_until >= start_date) AND ((closed_until <= canceled_at) OR (canceled_at IS NULL) OR (closed_until = start_date)))),
    CONSTRAINT subscriptions_deleted_is_canceled CHECK (((deleted_at IS NULL) OR (status = 'canceled'::text))),
    CONSTRAINT subscriptions_end_after_start CHECK ((end_date > start_date)),
    CONSTRAINT subscriptions_pause_has_its_reason CHECK (((status = ANY (ARRAY['paused'::text, 'suspended'::text])) = (pause_reason IS NOT NULL))),
    CONSTRAINT subscriptions_pause_reason_known CHECK ((pause_reason = ANY (ARRAY['merchant'::text, 'insufficient_balance'::text, 'dunning'::text]))),
    CONSTRAINT subscriptions_phase_within_life CHECK ((phase_started_at >= start_date)),
    CONSTRAINT subscriptions_scheduled_plan_has_its_time CHECK (((scheduled_plan_id IS NULL) = (scheduled_at IS NULL))),
    CONSTRAINT subscriptions_status_known CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'canceled'::text, 'suspended'::text]))),
    CONSTRAINT subscriptions_trial_has_its_plan CHECK (((trial_plan_id IS NULL) = (trial_ends_at IS NULL)))
);

COMMENT ON COLUMN public.subscriptions.phase_started_at IS 'start of the phase on the present plan';

COMMENT ON COLUMN public.subscriptions.closed_until IS 'start of the first period that is not closed';

COMMENT ON COLUMN public.subscriptions.recheck_from IS 'closed periods that end later are checked again with the next period close';

COMMENT ON COLUMN public.subscriptions.late_usage_checked_at IS 'real time of the last check of closed periods for late events';

COMMENT ON COLUMN public.subscriptions.phase_agreed_at IS 'when the present plan was agreed, maybe before the phase starts; decides which edits apply';

COMMENT ON COLUMN public.subscriptions.cancel_at IS 'end of the period that was running when cancel_at_period_end was set';

COMMENT ON COLUMN public.subscriptions.scheduled_plan_id IS 'the plan that applies from scheduled_at on';

COMMENT ON COLUMN public.subscriptions.trial_plan_id IS 'the plan whose trial the subscription began with';

COMMENT ON COLUMN public.subscriptions.phase_agreed_revision IS 'the plan''s revision at that time: a test clock may hold times still';

CREATE TABLE public.tenant_lookups (
    org_id uuid NOT NULL
);

CREATE TABLE public.test_clocks (
    org_id uuid NOT NULL,
    now_at timestamp with time zone,
    target_at timestamp with time zone,
    steps integer NOT NULL,
    failure text NOT NULL,
    resets bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    runner_id uuid,
    runner_until timestamp with time zone,
    CONSTRAINT test_clocks_counts_not_negative CHECK (((steps >= 0) AND (resets >= 0))),
    CONSTRAINT test_clocks_failed_stands_still CHECK (((failure = ''::text) OR (target_at IS NULL))),
    CONSTRAINT test_clocks_runner_is_whole CHECK (((runner_id IS NULL) = (runner_until IS NULL))),
    CONSTRAINT test_clocks_target_lies_ahead CHECK (((target_at IS NULL) OR ((now_at IS NOT NULL) AND (target_at >= now_at))))
);

CREATE TABLE public.transfer_turns (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    connection_id uuid NOT NULL,
    free_at timestamp with time zone NOT NULL
);

CREATE TABLE public.transfers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    leg_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    payout_account_id uuid NOT NULL,
    payout_method text NOT NULL,
    bank_code text NOT NULL,
    bank_name text NOT NULL,
    account_name text NOT NULL,
    number_ciphertext bytea NOT NULL,
    last4 text NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    attempt integer NOT NULL,
    reference text NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    narration text NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    needs_otp boolean NOT NULL,
    is_alone boolean NOT NULL,
    is_excess boolean NOT NULL,
    failure_code text,
    failure_reason text NOT NULL,
    failure_is_final boolean NOT NULL,
    batch_id uuid,
    provider_id text NOT NULL,
    rail_id text NOT NULL,
    fee numeric(24,6),
    created_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    sent_at timestamp with time zone,
    waiting_since timestamp with time zone,
    settled_at timestamp with time zone,
    asked integer NOT NULL,
    asked_at timestamp with time zone,
    first_not_found_at timestamp with time zone,
    needs_person_at timestamp with time zone,
    resolved_by text,
    resolved_at timestamp with time zone,
    resolution text,
    note text NOT NULL,
    is_contradicted boolean NOT NULL,
    CONSTRAINT transfers_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT transfers_attempts_count_from_one CHECK (((attempt > 0) AND (asked >= 0))),
    CONSTRAINT transfers_excess_was_paid CHECK (((NOT is_excess) OR (state = ANY (ARRAY['succeeded'::text, 'reversed'::text])))),
    CONSTRAINT transfers_failed_says_why CHECK ((((state <> 'failed'::text) OR (failure_code IS NOT NULL)) AND ((failure_code IS NOT NULL) OR ((failure_reason = ''::text) AND (NOT failure_is_final))))),
    CONSTRAINT transfers_fee_not_negative CHECK (((fee >= (0)::numeric) AND (fee <> 'NaN'::numeric))),
    CONSTRAINT transfers_method_known CHECK ((payout_method = ANY (ARRAY['bank_transfer'::text, 'mobile_money'::text]))),
    CONSTRAINT transfers_otp_is_awaited CHECK (((NOT needs_otp) OR (state = 'needs_action'::text))),
    CONSTRAINT transfers_resolution_is_whole CHECK ((((resolved_by IS NULL) = (resolved_at IS NULL)) AND ((resolved_by IS NULL) = (resolution IS NULL)) AND (resolution = ANY (ARRAY['succeeded'::text, 'failed'::text])) AND ((resolved_by IS NOT NULL) OR ((note = ''::text) AND (NOT is_contradicted))))),
    CONSTRAINT transfers_sent_has_its_time CHECK ((((submitted_at IS NULL) = (sent_at IS NULL)) AND (submitted_at <= sent_at) AND ((sent_at IS NOT NULL) OR (state = ANY (ARRAY['created'::text, 'failed'::text]))))),
    CONSTRAINT transfers_settled_has_its_time CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'reversed'::text])) = (settled_at IS NOT NULL))),
    CONSTRAINT transfers_state_known CHECK ((state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text, 'succeeded'::text, 'failed'::text, 'reversed'::text])))
);

COMMENT ON COLUMN public.transfers.is_alone IS 'not sent in bulk: a provider refused a whole bulk that had it';

COMMENT ON COLUMN public.transfers.is_excess IS 'the payee has it beside another transfer of the same leg';

COMMENT ON COLUMN public.transfers.waiting_since IS 'since when it could not be sent, or the balance does not suffice, while it waits to be sent again';

CREATE TABLE public.unfolded_batches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    batch_id uuid NOT NULL,
    event_count integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT unfolded_batches_not_empty CHECK ((event_count > 0))
);

CREATE TABLE public.usage_days (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    day timestamp with time zone NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    first_event_at timestamp with time zone NOT NULL,
    last_event_at timestamp with time zone NOT NULL,
    CONSTRAINT usage_days_begin_at_midnight CHECK ((date_bin('1 day'::interval, day, '2000-01-01 00:00:00+00'::timestamp with time zone) = day)),
    CONSTRAINT usage_days_day_holds_its_events CHECK (((first_event_at >= day) AND (last_event_at < (day + '24:00:00'::interval)))),
    CONSTRAINT usage_days_not_empty CHECK ((event_count > 0)),
    CONSTRAINT usage_days_numbers_are_of_events CHECK (((number_count >= 0) AND (number_count <= event_count)))
)
WITH (fillfactor='80');

CREATE TABLE public.usage_declines (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    recent_events bigint NOT NULL,
    usual_events numeric(38,12) NOT NULL,
    noted_at timestamp with time zone NOT NULL,
    CONSTRAINT usage_declines_below_half CHECK (((recent_events >= 0) AND (((2 * recent_events))::numeric < usual_events)))
);

COMMENT ON COLUMN public.usage_declines.recent_events IS 'of the last seven days';

COMMENT ON COLUMN public.usage_declines.usual_events IS 'a week''s, of the 28 days before';

CREATE TABLE public.usage_digest_totals (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    span text NOT NULL,
    period_start timestamp with time zone NOT NULL,
    metric_id uuid NOT NULL,
    customers bigint NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    distinct_count bigint NOT NULL,
    CONSTRAINT usage_digest_totals_not_empty CHECK (((customers > 0) AND (event_count > 0)))
);

CREATE TABLE public.usage_digests (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    span text NOT NULL,
    period_start timestamp with time zone NOT NULL,
    after_customer_id uuid,
    done_at timestamp with time zone,
    CONSTRAINT usage_digests_span_known CHECK ((span = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])))
);

CREATE TABLE public.usage_events (
    org_id uuid NOT NULL,
    dedup uuid NOT NULL,
    is_test boolean NOT NULL,
    batch_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    customer_id uuid NOT NULL,
    event_name text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    properties jsonb NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT usage_events_key_length CHECK (((octet_length(idempotency_key) >= 1) AND ((octet_length(idempotency_key) <= 255) OR (length(idempotency_key) <= 255))))
);
ALTER TABLE ONLY public.usage_events ALTER COLUMN dedup SET STATISTICS 0;
ALTER TABLE ONLY public.usage_events ALTER COLUMN idempotency_key SET STATISTICS 0;
ALTER TABLE ONLY public.usage_events ALTER COLUMN properties SET STATISTICS 0;

CREATE TABLE public.usage_hour_values (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    hour timestamp with time zone NOT NULL,
    value uuid NOT NULL
);

CREATE TABLE public.usage_hours (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    metric_version integer NOT NULL,
    hour timestamp with time zone NOT NULL,
    group_value text NOT NULL,
    event_count bigint NOT NULL,
    number_count bigint NOT NULL,
    number_sum numeric NOT NULL,
    number_min numeric,
    number_max numeric,
    first_event_at timestamp with time zone NOT NULL,
    last_event_at timestamp with time zone NOT NULL,
    CONSTRAINT usage_hours_hour_holds_its_events CHECK (((first_event_at >= hour) AND (last_event_at < (hour + '01:00:00'::interval)))),
    CONSTRAINT usage_hours_not_empty CHECK ((event_count > 0)),
    CONSTRAINT usage_hours_numbers_are_of_events CHECK (((number_count >= 0) AND (number_count <= event_count)))
)
WITH (fillfactor='80');

CREATE TABLE public.usage_watchers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    watcher text NOT NULL,
    CONSTRAINT usage_watchers_known CHECK ((watcher = ANY (ARRAY['usage'::text, 'cost'::text])))
);

CREATE TABLE public.users (
    id uuid NOT NULL,
    email text NOT NULL,
    full_name text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT users_email_in_one_spelling CHECK (((email = lower(email)) AND (email <> ''::text))),
    CONSTRAINT users_email_is_short CHECK ((char_length(email) <= 254)),
    CONSTRAINT users_password_is_hashed CHECK ((password_hash ~~ '$argon2id$%'::text))
);

CREATE TABLE public.virtual_accounts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    currency text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    account_number text DEFAULT ''::text NOT NULL,
    account_name text DEFAULT ''::text NOT NULL,
    bank_name text DEFAULT ''::text NOT NULL,
    bank_code text DEFAULT ''::text NOT NULL,
    provider_id text DEFAULT ''::text NOT NULL,
    provider_customer text DEFAULT ''::text NOT NULL,
    failure_field text DEFAULT ''::text NOT NULL,
    failure_reason text DEFAULT ''::text NOT NULL,
    asked integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    opened_at timestamp with time zone,
    last_used_at timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT virtual_accounts_asked_not_negative CHECK ((asked >= 0)),
    CONSTRAINT virtual_accounts_closed_has_its_time CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT virtual_accounts_failed_say_why CHECK (((state = 'failed'::text) = ((failure_reason <> ''::text) AND (failure_field <> ''::text)))),
    CONSTRAINT virtual_accounts_opened_have_a_number CHECK ((((state = ANY (ARRAY['active'::text, 'closing'::text, 'closed'::text])) = (opened_at IS NOT NULL)) AND ((opened_at IS NOT NULL) = (account_number <> ''::text)))),
    CONSTRAINT virtual_accounts_sent_have_their_time CHECK (((state = ANY (ARRAY['created'::text, 'failed'::text])) OR (submitted_at IS NOT NULL))),
    CONSTRAINT virtual_accounts_state_known CHECK ((state = ANY (ARRAY['created'::text, 'submitted'::text, 'unknown'::text, 'active'::text, 'failed'::text, 'closing'::text, 'closed'::text])))
);

COMMENT ON COLUMN public.virtual_accounts.created_at IS 'the tenant''s time; the other instants are real';

CREATE TABLE public.waiting_retentions (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL,
    redacted_until timestamp with time zone NOT NULL
);

CREATE TABLE public.wallet_reservations (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    captured_amount numeric(24,6) NOT NULL,
    status text NOT NULL,
    description text NOT NULL,
    reference_type text NOT NULL,
    reference_id text NOT NULL,
    metadata jsonb NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT wallet_reservations_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT wallet_reservations_captured_within_amount CHECK ((
CASE status
    WHEN 'captured'::text THEN (captured_amount > (0)::numeric)
    ELSE (captured_amount = (0)::numeric)
END AND (captured_amount <= amount))),
    CONSTRAINT wallet_reservations_expires_later CHECK ((expires_at > created_at)),
    CONSTRAINT wallet_reservations_settled_has_its_time CHECK (((status = 'open'::text) = (settled_at IS NULL))),
    CONSTRAINT wallet_reservations_status_known CHECK ((status = ANY (ARRAY['open'::text, 'captured'::text, 'released'::text, 'expired'::text])))
);

CREATE TABLE public.wallets (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    money_account_id uuid NOT NULL,
    reserved_account_id uuid NOT NULL,
    provider_account_id uuid NOT NULL,
    revenue_account_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    top_up_threshold numeric(24,6),
    top_up_amount numeric(24,6),
    top_up_monthly_limit numeric(24,6),
    excess numeric(24,6) DEFAULT 0 NOT NULL,
    CONSTRAINT wallets_closed_has_its_time CHECK (((status = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT wallets_excess_not_negative CHECK (((excess >= (0)::numeric) AND (excess <> 'NaN'::numeric))),
    CONSTRAINT wallets_status_known CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, 'closed'::text]))),
    CONSTRAINT wallets_top_up_amount_positive CHECK (((top_up_amount > (0)::numeric) AND (top_up_amount <> 'NaN'::numeric))),
    CONSTRAINT wallets_top_up_limit_covers_amount CHECK (((top_up_monthly_limit >= top_up_amount) AND (top_up_monthly_limit <> 'NaN'::numeric))),
    CONSTRAINT wallets_top_up_rule_is_whole CHECK ((((top_up_threshold IS NULL) = (top_up_amount IS NULL)) AND ((top_up_monthly_limit IS NULL) OR (top_up_amount IS NOT NULL)))),
    CONSTRAINT wallets_top_up_threshold_not_negative CHECK (((top_up_threshold >= (0)::numeric) AND (top_up_threshold <> 'NaN'::numeric)))
);

COMMENT ON COLUMN public.wallets.excess IS 'what of its money invoices did not take, and no use has taken since';

CREATE VIEW public.wallet_states WITH (security_invoker='true') AS
 SELECT wallet.org_id,
    wallet.is_test,
    wallet.id,
    wallet.customer_id,
    wallet.currency,
    wallet.status,
    wallet.money_account_id,
    wallet.reserved_account_id,
    wallet.provider_account_id,
    wallet.revenue_account_id,
    wallet.created_at,
    GREATEST(wallet.updated_at, money.moved_at, reserved.moved_at) AS updated_at,
    money.balance,
    reserved.balance AS reserved_balance,
    money.sequence AS entries,
    wallet.top_up_threshold,
    wallet.excess,
    (EXISTS ( SELECT 1
           FROM public.balance_watchers watcher
          WHERE ((watcher.org_id = wallet.org_id) AND (watcher.is_test = wallet.is_test)))) AS is_watched
   FROM ((public.wallets wallet
     JOIN public.ledger_accounts money ON (((money.org_id = wallet.org_id) AND (money.is_test = wallet.is_test) AND (money.id = wallet.money_account_id))))
     JOIN public.ledger_accounts reserved ON (((reserved.org_id = wallet.org_id) AND (reserved.is_test = wallet.is_test) AND (reserved.id = wallet.reserved_account_id))));

CREATE TABLE public.wallet_top_ups (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(24,6) NOT NULL,
    deposited_amount numeric(24,6) NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT wallet_top_ups_amount_positive CHECK (((amount > (0)::numeric) AND (amount <> 'NaN'::numeric))),
    CONSTRAINT wallet_top_ups_deposited_within_amount CHECK (((deposited_amount >= (0)::numeric) AND (deposited_amount <= amount))),
    CONSTRAINT wallet_top_ups_paid_is_deposited CHECK (((status = 'paid'::text) = (deposited_amount = amount))),
    CONSTRAINT wallet_top_ups_settled_has_its_time CHECK (((status = 'open'::text) = (settled_at IS NULL))),
    CONSTRAINT wallet_top_ups_status_known CHECK ((status = ANY (ARRAY['open'::text, 'paid'::text, 'canceled'::text])))
);

CREATE TABLE public.watched_batches (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    watcher text NOT NULL,
    batch_id uuid NOT NULL,
    CONSTRAINT watched_batches_watcher_known CHECK ((watcher = ANY (ARRAY['usage'::text, 'cost'::text])))
);

CREATE TABLE public.watched_customers (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    customer_id uuid NOT NULL
);

CREATE TABLE public.webhook_attempts (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    url text NOT NULL,
    request_headers jsonb NOT NULL,
    response_status integer,
    response_body text NOT NULL,
    error text NOT NULL,
    duration_ms integer NOT NULL,
    attempted_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_attempts_answered_or_not CHECK (((response_status IS NOT NULL) OR (error <> ''::text))),
    CONSTRAINT webhook_attempts_number_in_bounds CHECK (((number >= 1) AND (number <= 6))),
    CONSTRAINT webhook_attempts_response_in_bounds CHECK ((length(response_body) <= 4096))
);

CREATE TABLE public.webhook_deliveries (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    body text NOT NULL,
    retry_of uuid,
    status text NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT webhook_deliveries_attempts_in_bounds CHECK (((attempts >= 0) AND (attempts <= 6))),
    CONSTRAINT webhook_deliveries_ended_have_an_end CHECK (((status = 'pending'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_deliveries_pending_have_a_next_attempt CHECK (((status = 'pending'::text) = (next_attempt_at IS NOT NULL))),
    CONSTRAINT webhook_deliveries_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.webhook_deliveries.body IS 'byte by byte as it is sent';

COMMENT ON COLUMN public.webhook_deliveries.retry_of IS 'the delivery that a person had sent again; null: the first of its event';

CREATE TABLE public.webhook_endpoints (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    is_enabled boolean NOT NULL,
    disabled_reason text NOT NULL,
    secret_ciphertext bytea,
    previous_ciphertext bytea,
    previous_until timestamp with time zone,
    failing_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT webhook_endpoints_deleted_are_disabled CHECK (((deleted_at IS NOT NULL) = (disabled_reason = 'deleted'::text))),
    CONSTRAINT webhook_endpoints_deleted_have_no_secret CHECK (((deleted_at IS NULL) = (secret_ciphertext IS NOT NULL))),
    CONSTRAINT webhook_endpoints_disabled_for_a_reason CHECK (((disabled_reason = ''::text) = is_enabled)),
    CONSTRAINT webhook_endpoints_previous_is_whole CHECK (((previous_ciphertext IS NULL) = (previous_until IS NULL))),
    CONSTRAINT webhook_endpoints_reason_known CHECK ((disabled_reason = ANY (ARRAY[''::text, 'by_hand'::text, 'failing'::text, 'deleted'::text]))),
    CONSTRAINT webhook_endpoints_url_in_bounds CHECK (((length(url) >= 1) AND (length(url) <= 2000))),
    CONSTRAINT webhook_endpoints_want_events CHECK (((cardinality(events) >= 1) AND (cardinality(events) <= 100)))
);

COMMENT ON COLUMN public.webhook_endpoints.events IS 'names of types, or the beginnings of several followed by *';

COMMENT ON COLUMN public.webhook_endpoints.previous_until IS 'until when events are also signed with the secret before';

COMMENT ON COLUMN public.webhook_endpoints.failing_since IS 'of the first failure after which none succeeded; real time';

CREATE TABLE public.whatsapp_connections (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    phone_number_id text NOT NULL,
    business_account_id text NOT NULL,
    display_number text NOT NULL,
    verified_name text NOT NULL,
    secrets_ciphertext bytea NOT NULL,
    health_state text NOT NULL,
    last_success_at timestamp with time zone,
    last_error text NOT NULL,
    last_error_at timestamp with time zone,
    webhook_last_at timestamp with time zone,
    connected_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT whatsapp_connections_error_is_whole CHECK (((last_error = ''::text) = (last_error_at IS NULL))),
    CONSTRAINT whatsapp_connections_failing_say_why CHECK (((health_state = 'healthy'::text) OR (last_error <> ''::text))),
    CONSTRAINT whatsapp_connections_have_a_number CHECK (((phone_number_id ~ '^[0-9]{1,32}$'::text) AND (business_account_id ~ '^[0-9]{1,32}$'::text))),
    CONSTRAINT whatsapp_connections_health_known CHECK ((health_state = ANY (ARRAY['healthy'::text, 'failing'::text])))
);

COMMENT ON COLUMN public.whatsapp_connections.connected_at IS 'instants of WhatsApp are of real time';

CREATE TABLE public.whatsapp_messages (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    id uuid NOT NULL,
    fact_id uuid,
    customer_id uuid NOT NULL,
    type text NOT NULL,
    occasion jsonb,
    status text NOT NULL,
    phone text NOT NULL,
    template text NOT NULL,
    language text NOT NULL,
    parameters text[] NOT NULL,
    attempts integer NOT NULL,
    whatsapp_id text NOT NULL,
    error_code integer,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sending_at timestamp with time zone,
    accepted_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    failed_at timestamp with time zone,
    fell_back_at timestamp with time zone,
    CONSTRAINT whatsapp_messages_accepted_has_its_time CHECK (((status <> 'accepted'::text) OR (accepted_at IS NOT NULL))),
    CONSTRAINT whatsapp_messages_attempts_not_negative CHECK ((attempts >= 0)),
    CONSTRAINT whatsapp_messages_delivered_has_its_time CHECK (((status <> 'delivered'::text) OR (delivered_at IS NOT NULL))),
    CONSTRAINT whatsapp_messages_failed_has_its_time CHECK (((status = 'failed'::text) = (failed_at IS NOT NULL))),
    CONSTRAINT whatsapp_messages_failed_says_why CHECK (((status <> 'failed'::text) OR (reason <> ''::text))),
    CONSTRAINT whatsapp_messages_read_has_its_time CHECK (((status <> 'read'::text) OR (read_at IS NOT NULL))),
    CONSTRAINT whatsapp_messages_sent_has_its_time CHECK (((status <> 'sent'::text) OR (sent_at IS NOT NULL))),
    CONSTRAINT whatsapp_messages_sent_to_somebody CHECK (((status = ANY (ARRAY['waiting'::text, 'failed'::text])) OR ((phone <> ''::text) AND (template <> ''::text) AND (language <> ''::text) AND (sending_at IS NOT NULL)))),
    CONSTRAINT whatsapp_messages_status_known CHECK ((status = ANY (ARRAY['waiting'::text, 'sending'::text, 'unknown'::text, 'accepted'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text]))),
    CONSTRAINT whatsapp_messages_taken_have_their_id CHECK (((status <> ALL (ARRAY['accepted'::text, 'sent'::text, 'delivered'::text, 'read'::text])) OR (whatsapp_id <> ''::text))),
    CONSTRAINT whatsapp_messages_tests_have_no_occasion CHECK ((((type = 'test'::text) = (fact_id IS NULL)) AND ((type = 'test'::text) = (occasion IS NULL)))),
    CONSTRAINT whatsapp_messages_tests_never_fall_back CHECK (((fell_back_at IS NULL) OR (fact_id IS NOT NULL)))
);

COMMENT ON COLUMN public.whatsapp_messages.fact_id IS 'of the outbox, which keeps facts for a shorter time';

COMMENT ON COLUMN public.whatsapp_messages.occasion IS 'what the message is to say, as the fact had it';

COMMENT ON COLUMN public.whatsapp_messages.fell_back_at IS 'when its mail was asked for in its place';

CREATE TABLE public.whatsapp_opt_outs (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    phone text NOT NULL,
    is_out boolean NOT NULL,
    said_at timestamp with time zone NOT NULL,
    CONSTRAINT whatsapp_opt_outs_phone_is_digits CHECK ((phone ~ '^[1-9][0-9]{5,19}$'::text))
);

CREATE TABLE public.whatsapp_settings (
    org_id uuid NOT NULL,
    is_test boolean NOT NULL,
    notices jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT whatsapp_settings_notices_are_an_object CHECK ((jsonb_typeof(notices) = 'object'::text))
);

ALTER TABLE ONLY public.pgqueuer ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_schedules ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_schedules_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_statistics ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_statistics_id_seq'::regclass);

ALTER TABLE ONLY public.agenda
    ADD CONSTRAINT agenda_pkey PRIMARY KEY (org_id, is_test, kind, subject);

ALTER TABLE ONLY public.alert_states
    ADD CONSTRAINT alert_states_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.alert_thresholds
    ADD CONSTRAINT alert_thresholds_pkey PRIMARY KEY (org_id, is_test, alert_id, value);

ALTER TABLE ONLY public.alert_watches
    ADD CONSTRAINT alert_watches_pkey PRIMARY KEY (org_id, is_test, alert_id, subscription_id);

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.api_key_lookups
    ADD CONSTRAINT api_key_lookups_pkey PRIMARY KEY (key_hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.attributed_amounts
    ADD CONSTRAINT attributed_amounts_pkey PRIMARY KEY (org_id, is_test, metric_id, dedup);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_logged_once UNIQUE (org_id, id);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (org_id, sequence);

ALTER TABLE ONLY public.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.authenticator_apps
    ADD CONSTRAINT authenticator_apps_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.balance_watchers
    ADD CONSTRAINT balance_watchers_pkey PRIMARY KEY (org_id, is_test);

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_attempts_are_numbered UNIQUE (org_id, is_test, kind, subject_id, attempt);

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_reference_used_once UNIQUE (org_id, is_test, reference);

ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (org_id, is_test, name);

ALTER TABLE ONLY public.credit_grants
    ADD CONSTRAINT credit_grants_account_unique UNIQUE (org_id, is_test, account_id);

ALTER TABLE ONLY public.credit_grants
    ADD CONSTRAINT credit_grants_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.customer_changes
    ADD CONSTRAINT customer_changes_pkey PRIMARY KEY (org_id, is_test);

ALTER TABLE ONLY public.customer_mails
    ADD CONSTRAINT customer_mails_once_for_a_fact UNIQUE (org_id, is_test, fact_id);

ALTER TABLE ONLY public.customer_mails
    ADD CONSTRAINT customer_mails_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_counted_once UNIQUE (org_id, is_test, connection_id, provider_id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.email_codes
    ADD CONSTRAINT email_codes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.event_counts
    ADD CONSTRAINT event_counts_pkey PRIMARY KEY (org_id, is_test, month);

ALTER TABLE ONLY public.event_retention
    ADD CONSTRAINT event_retention_pkey PRIMARY KEY (org_id, is_test);

ALTER TABLE ONLY public.event_volumes
    ADD CONSTRAINT event_volumes_pkey PRIMARY KEY (org_id, is_test, since);

ALTER TABLE ONLY public.idempotency_records
    ADD CONSTRAINT idempotency_records_pkey PRIMARY KEY (org_id, is_test, request_key);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_token_unique UNIQUE (token_hash);

ALTER TABLE ONLY public.invoice_collections
    ADD CONSTRAINT invoice_collections_pkey PRIMARY KEY (org_id, is_test, invoice_id);

ALTER TABLE ONLY public.invoice_line_items
    ADD CONSTRAINT invoice_line_items_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.invoice_line_items
    ADD CONSTRAINT invoice_line_items_position_unique UNIQUE (org_id, is_test, invoice_id, "position");

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.late_usage
    ADD CONSTRAINT late_usage_pkey PRIMARY KEY (org_id, is_test, customer_id, day);

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_currency_fixed UNIQUE (org_id, is_test, id, currency);

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.ledger_requests
    ADD CONSTRAINT ledger_requests_pkey PRIMARY KEY (org_id, is_test, scope, idempotency_key);

ALTER TABLE ONLY public.ledger_transfers
    ADD CONSTRAINT ledger_transfers_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.mail_suppressions
    ADD CONSTRAINT mail_suppressions_once_for_a_reason UNIQUE (org_id, is_test, address, reason);

ALTER TABLE ONLY public.mail_suppressions
    ADD CONSTRAINT mail_suppressions_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.mails
    ADD CONSTRAINT mails_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.member_credits
    ADD CONSTRAINT member_credits_pkey PRIMARY KEY (org_id, is_test, user_id, day, currency);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (org_id, user_id);

ALTER TABLE ONLY public.metric_versions
    ADD CONSTRAINT metric_versions_pkey PRIMARY KEY (org_id, is_test, metric_id, version);

ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT metrics_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.onboarding_steps
    ADD CONSTRAINT onboarding_steps_pkey PRIMARY KEY (org_id, step);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.outbox_deliveries
    ADD CONSTRAINT outbox_deliveries_pkey PRIMARY KEY (org_id, is_test, subscriber, subject_id, "position");

ALTER TABLE ONLY public.outbox_facts
    ADD CONSTRAINT outbox_facts_pkey PRIMARY KEY (org_id, is_test, subject_id, "position");

ALTER TABLE ONLY public.outbox_listeners
    ADD CONSTRAINT outbox_listeners_pkey PRIMARY KEY (org_id, is_test, subscriber);

ALTER TABLE ONLY public.passkey_challenges
    ADD CONSTRAINT passkey_challenges_pkey PRIMARY KEY (session_id, purpose);

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_credential_unique UNIQUE (credential_id);

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.payment_connections
    ADD CONSTRAINT payment_connections_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.payment_credentials
    ADD CONSTRAINT payment_credentials_pkey PRIMARY KEY (org_id, is_test, connection_id);

ALTER TABLE ONLY public.payment_defaults
    ADD CONSTRAINT payment_defaults_one_for_each_currency PRIMARY KEY (org_id, purpose, currency);

ALTER TABLE ONLY public.payment_methods
    ADD CONSTRAINT payment_methods_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_counted_once UNIQUE (org_id, is_test, connection_id, provider_id);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_currency_fixed UNIQUE (org_id, is_test, id, currency);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.payout_accounts
    ADD CONSTRAINT payout_accounts_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.payout_batches
    ADD CONSTRAINT payout_batches_pkey PRIMARY KEY (org_id, is_test, currency, hour);

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_position_unique UNIQUE (org_id, is_test, bill_id, "position");

ALTER TABLE ONLY public.payout_parts
    ADD CONSTRAINT payout_parts_pkey PRIMARY KEY (org_id, is_test, transfer_id, leg_id);

ALTER TABLE ONLY public.payout_splits
    ADD CONSTRAINT payout_splits_account_once UNIQUE (org_id, is_test, plan_id, payout_account_id);

ALTER TABLE ONLY public.payout_splits
    ADD CONSTRAINT payout_splits_pkey PRIMARY KEY (org_id, is_test, plan_id, "position");

ALTER TABLE ONLY public.payouts
    ADD CONSTRAINT payouts_pkey PRIMARY KEY (org_id, is_test, bill_id);

ALTER TABLE ONLY public.pgqueuer_log
    ADD CONSTRAINT pgqueuer_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer
    ADD CONSTRAINT pgqueuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_expression_entrypoint_key UNIQUE (expression, entrypoint);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_statistics
    ADD CONSTRAINT pgqueuer_statistics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.plan_revisions
    ADD CONSTRAINT plan_revisions_pkey PRIMARY KEY (org_id, is_test, plan_id, revision);

ALTER TABLE ONLY public.plan_simulations
    ADD CONSTRAINT plan_simulations_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.platform_admins
    ADD CONSTRAINT platform_admins_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.portal_token_lookups
    ADD CONSTRAINT portal_token_lookups_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.portal_tokens
    ADD CONSTRAINT portal_tokens_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.price_overrides
    ADD CONSTRAINT price_overrides_never_overlap EXCLUDE USING gist (public.override_slot(org_id, is_test, customer_id, price_id) WITH &&, tstzrange(valid_from, valid_until) WITH &&) WHERE ((deleted_at IS NULL));

ALTER TABLE ONLY public.price_overrides
    ADD CONSTRAINT price_overrides_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.price_revisions
    ADD CONSTRAINT price_revisions_once_per_plan_revision UNIQUE (org_id, is_test, plan_id, plan_revision, price_id);

ALTER TABLE ONLY public.price_revisions
    ADD CONSTRAINT price_revisions_pkey PRIMARY KEY (org_id, is_test, price_id, revision);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_of_plan UNIQUE (org_id, is_test, plan_id, id);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.provider_calls
    ADD CONSTRAINT provider_calls_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_stored_once UNIQUE (org_id, is_test, connection_id, body_hash);

ALTER TABLE ONLY public.realtime_charges
    ADD CONSTRAINT realtime_charges_pkey PRIMARY KEY (org_id, is_test, subscription_id, period_start);

ALTER TABLE ONLY public.reconciliation_looks
    ADD CONSTRAINT reconciliation_looks_pkey PRIMARY KEY (org_id, is_test, connection_id);

ALTER TABLE ONLY public.reconciliation_rows
    ADD CONSTRAINT reconciliation_rows_one_of_each_kind UNIQUE (org_id, is_test, connection_id, kind, subject);

ALTER TABLE ONLY public.reconciliation_rows
    ADD CONSTRAINT reconciliation_rows_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_hash);

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_reference_used_once UNIQUE (org_id, is_test, reference);

ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.replay_jobs
    ADD CONSTRAINT replay_jobs_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.schema_functions
    ADD CONSTRAINT schema_functions_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_attempts
    ADD CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_challenges
    ADD CONSTRAINT sign_in_challenges_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_challenges
    ADD CONSTRAINT sign_in_challenges_token_unique UNIQUE (token_hash);

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.subscription_pauses
    ADD CONSTRAINT subscription_pauses_pkey PRIMARY KEY (org_id, is_test, subscription_id, started_at);

ALTER TABLE ONLY public.subscription_phases
    ADD CONSTRAINT subscription_phases_pkey PRIMARY KEY (org_id, is_test, subscription_id, started_at);

ALTER TABLE ONLY public.subscription_stretches
    ADD CONSTRAINT subscription_stretches_never_overlap EXCLUDE USING gist (public.stretch_slot(org_id, is_test, customer_id, plan_type) WITH &&, tstzrange(started_at, ended_at) WITH &&);

ALTER TABLE ONLY public.subscription_stretches
    ADD CONSTRAINT subscription_stretches_pkey PRIMARY KEY (org_id, is_test, subscription_id, started_at);

ALTER TABLE ONLY public.subscription_timeline
    ADD CONSTRAINT subscription_timeline_pkey PRIMARY KEY (org_id, is_test, subscription_id, "position");

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.tenant_lookups
    ADD CONSTRAINT tenant_lookups_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.test_clocks
    ADD CONSTRAINT test_clocks_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.transfer_turns
    ADD CONSTRAINT transfer_turns_pkey PRIMARY KEY (org_id, is_test, connection_id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_attempts_are_numbered UNIQUE (org_id, is_test, leg_id, attempt);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_reference_used_once UNIQUE (org_id, is_test, reference);

ALTER TABLE ONLY public.unfolded_batches
    ADD CONSTRAINT unfolded_batches_pkey PRIMARY KEY (org_id, is_test, batch_id);

ALTER TABLE ONLY public.usage_days
    ADD CONSTRAINT usage_days_pkey PRIMARY KEY (org_id, is_test, customer_id, metric_id, metric_version, day, group_value);

ALTER TABLE ONLY public.usage_declines
    ADD CONSTRAINT usage_declines_pkey PRIMARY KEY (org_id, is_test, customer_id);

ALTER TABLE ONLY public.usage_digest_totals
    ADD CONSTRAINT usage_digest_totals_pkey PRIMARY KEY (org_id, is_test, span, period_start, metric_id);

ALTER TABLE ONLY public.usage_digests
    ADD CONSTRAINT usage_digests_pkey PRIMARY KEY (org_id, is_test, span, period_start);

ALTER TABLE ONLY public.usage_events
    ADD CONSTRAINT usage_events_pkey PRIMARY KEY (org_id, dedup);

ALTER TABLE ONLY public.usage_hour_values
    ADD CONSTRAINT usage_hour_values_pkey PRIMARY KEY (org_id, is_test, customer_id, metric_id, metric_version, hour, value);

ALTER TABLE ONLY public.usage_hours
    ADD CONSTRAINT usage_hours_pkey PRIMARY KEY (org_id, is_test, customer_id, metric_id, metric_version, hour, group_value);

ALTER TABLE ONLY public.usage_watchers
    ADD CONSTRAINT usage_watchers_pkey PRIMARY KEY (org_id, is_test, watcher);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_unique UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.virtual_accounts
    ADD CONSTRAINT virtual_accounts_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.virtual_accounts
    ADD CONSTRAINT virtual_accounts_reference_unique UNIQUE (org_id, is_test, reference);

ALTER TABLE ONLY public.waiting_retentions
    ADD CONSTRAINT waiting_retentions_pkey PRIMARY KEY (org_id, is_test, customer_id);

ALTER TABLE ONLY public.wallet_reservations
    ADD CONSTRAINT wallet_reservations_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.wallet_top_ups
    ADD CONSTRAINT wallet_top_ups_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_currency_fixed UNIQUE (org_id, is_test, id, currency);

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_one_per_customer_and_currency UNIQUE (org_id, is_test, customer_id, currency);

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.watched_batches
    ADD CONSTRAINT watched_batches_pkey PRIMARY KEY (org_id, is_test, watcher, batch_id);

ALTER TABLE ONLY public.watched_customers
    ADD CONSTRAINT watched_customers_pkey PRIMARY KEY (org_id, is_test, customer_id);

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (org_id, is_test, delivery_id, number);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.whatsapp_connections
    ADD CONSTRAINT whatsapp_connections_one_for_each_mode PRIMARY KEY (org_id, is_test);

ALTER TABLE ONLY public.whatsapp_messages
    ADD CONSTRAINT whatsapp_messages_once_for_a_fact UNIQUE (org_id, is_test, fact_id);

ALTER TABLE ONLY public.whatsapp_messages
    ADD CONSTRAINT whatsapp_messages_pkey PRIMARY KEY (org_id, is_test, id);

ALTER TABLE ONLY public.whatsapp_opt_outs
    ADD CONSTRAINT whatsapp_opt_outs_one_for_each_phone PRIMARY KEY (org_id, is_test, phone);

ALTER TABLE ONLY public.whatsapp_settings
    ADD CONSTRAINT whatsapp_settings_one_for_each_mode PRIMARY KEY (org_id, is_test);

CREATE INDEX agenda_earliest_first ON public.agenda USING btree (org_id, is_test, kind, due_at, subject);

CREATE INDEX agenda_runs_at ON public.agenda USING btree (runs_at) WHERE (runs_at < 'infinity'::timestamp with time zone);

CREATE INDEX agenda_set_aside ON public.agenda USING btree (org_id, is_test, kind, subject) WHERE (attempts > 0);

CREATE INDEX alert_states_by_time ON public.alert_states USING btree (org_id, is_test, triggered_at DESC, id DESC);

CREATE INDEX alert_states_of_customer ON public.alert_states USING btree (org_id, is_test, customer_id);

CREATE INDEX alert_states_of_wallet ON public.alert_states USING btree (org_id, is_test, wallet_id) WHERE ((rearmed_at IS NULL) AND (wallet_id IS NOT NULL));

CREATE UNIQUE INDEX alert_states_once_per_period ON public.alert_states USING btree (org_id, is_test, alert_id, subscription_id, period_start, threshold) WHERE (subscription_id IS NOT NULL);

CREATE UNIQUE INDEX alert_states_once_until_rearmed ON public.alert_states USING btree (org_id, is_test, alert_id, wallet_id, threshold) WHERE ((wallet_id IS NOT NULL) AND (rearmed_at IS NULL));

CREATE INDEX alert_states_triggered ON public.alert_states USING btree (org_id, is_test, alert_id) WHERE (status = 'triggered'::text);

CREATE INDEX alert_states_triggered_of_subscription ON public.alert_states USING btree (org_id, is_test, subscription_id) WHERE (status = 'triggered'::text);

CREATE INDEX alert_watches_of_customer ON public.alert_watches USING btree (org_id, is_test, customer_id);

CREATE INDEX alerts_of_customer ON public.alerts USING btree (org_id, is_test, customer_id) WHERE (customer_id IS NOT NULL);

CREATE INDEX alerts_of_metric ON public.alerts USING btree (org_id, is_test, metric_id) WHERE (metric_id IS NOT NULL);

CREATE INDEX alerts_of_plan ON public.alerts USING btree (org_id, is_test, plan_id) WHERE (plan_id IS NOT NULL);

CREATE INDEX alerts_of_subscription ON public.alerts USING btree (org_id, is_test, subscription_id) WHERE (subscription_id IS NOT NULL);

CREATE UNIQUE INDEX alerts_one_per_scope ON public.alerts USING btree (org_id, is_test, type, plan_id, subscription_id, customer_id, metric_id, currency) NULLS NOT DISTINCT WHERE (deleted_at IS NULL);

CREATE INDEX attributed_amounts_at_fault ON public.attributed_amounts USING btree (org_id, is_test, occurred_at) WHERE (fault <> ''::text);

CREATE INDEX attributed_amounts_by_customer_and_time ON public.attributed_amounts USING btree (customer_id, occurred_at) WHERE (customer_id IS NOT NULL);

CREATE INDEX attributed_amounts_waiting ON public.attributed_amounts USING btree (org_id, is_test, recipient) WHERE (customer_id IS NULL);

CREATE INDEX audit_entries_by_actor ON public.audit_entries USING btree (org_id, actor_id, at, sequence);

CREATE INDEX audit_entries_by_resource ON public.audit_entries USING btree (org_id, resource_id, at, sequence);

CREATE INDEX audit_entries_by_time ON public.audit_entries USING btree (org_id, at, sequence);

CREATE INDEX audit_entries_by_type ON public.audit_entries USING btree (org_id, resource_type, at, sequence);

CREATE INDEX charges_by_provider_id ON public.charges USING btree (org_id, is_test, connection_id, provider_id) WHERE (provider_id <> ''::text);

CREATE INDEX charges_for_a_person ON public.charges USING btree (org_id, is_test, needs_person_at) WHERE (needs_person_at IS NOT NULL);

CREATE INDEX charges_live_of_connection ON public.charges USING btree (org_id, is_test, connection_id) WHERE (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text]));

CREATE INDEX charges_of_customer ON public.charges USING btree (org_id, is_test, customer_id, created_at);

CREATE INDEX charges_of_invoice ON public.charges USING btree (org_id, is_test, invoice_id, created_at) WHERE (invoice_id IS NOT NULL);

CREATE INDEX charges_of_method ON public.charges USING btree (org_id, is_test, method_id) WHERE (method_id IS NOT NULL);

CREATE INDEX charges_of_wallet ON public.charges USING btree (org_id, is_test, wallet_id, created_at) WHERE (wallet_id IS NOT NULL);

CREATE UNIQUE INDEX charges_one_live_pull_per_invoice ON public.charges USING btree (org_id, is_test, invoice_id) WHERE ((kind = 'pull'::text) AND (purpose = 'invoice'::text) AND (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text])));

CREATE UNIQUE INDEX charges_one_live_top_up_per_wallet ON public.charges USING btree (org_id, is_test, wallet_id) WHERE ((purpose = 'top_up'::text) AND (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text])));

CREATE UNIQUE INDEX charges_one_open_checkout_per_invoice_and_provider ON public.charges USING btree (org_id, is_test, invoice_id, provider) WHERE ((kind = 'checkout'::text) AND (purpose = 'invoice'::text) AND (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text])));

CREATE INDEX credit_grants_of_wallet ON public.credit_grants USING btree (org_id, is_test, wallet_id, created_at DESC, id DESC);

CREATE INDEX customer_mails_by_customer ON public.customer_mails USING btree (org_id, is_test, customer_id, send_at);

CREATE INDEX customer_mails_by_time ON public.customer_mails USING btree (org_id, is_test, created_at, id);

CREATE UNIQUE INDEX customers_external_id_unique ON public.customers USING btree (org_id, is_test, external_id) WHERE (deleted_at IS NULL);

CREATE INDEX customers_newest_first ON public.customers USING btree (org_id, is_test, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX disputes_of_payment ON public.disputes USING btree (org_id, is_test, payment_id);

CREATE INDEX email_codes_by_address ON public.email_codes USING btree (address_hash, created_at);

CREATE INDEX email_codes_by_age ON public.email_codes USING btree (created_at);

CREATE INDEX email_codes_by_email ON public.email_codes USING btree (email, created_at);

CREATE INDEX email_codes_by_hash ON public.email_codes USING btree (code_hash) WHERE (ended_at IS NULL);

CREATE INDEX email_codes_by_registration ON public.email_codes USING btree (registration_id);

CREATE UNIQUE INDEX email_codes_one_open ON public.email_codes USING btree (email, purpose) WHERE (ended_at IS NULL);

CREATE INDEX idempotency_records_by_age ON public.idempotency_records USING btree (org_id, is_test, created_at);

CREATE INDEX invitations_by_email ON public.invitations USING btree (email) WHERE (status = 'pending'::text);

CREATE INDEX invitations_by_id ON public.invitations USING btree (id);

CREATE UNIQUE INDEX invitations_one_open ON public.invitations USING btree (org_id, email) WHERE (status = 'pending'::text);

CREATE INDEX invoice_collections_waiting ON public.invoice_collections USING btree (org_id, is_test, waits_for, invoice_id) WHERE (waits_for <> ''::text);

CREATE INDEX invoice_line_items_by_price_and_period ON public.invoice_line_items USING btree (org_id, is_test, subscription_id, period_start, price_id);

CREATE UNIQUE INDEX invoice_line_items_one_rounding ON public.invoice_line_items USING btree (org_id, is_test, invoice_id) WHERE (kind = 'rounding'::text);

CREATE INDEX invoices_by_finalizing ON public.invoices USING btree (org_id, is_test, finalized_at) INCLUDE (plan_type, status, currency, total, amount_paid) WHERE (finalized_at IS NOT NULL);

CREATE INDEX invoices_by_payment ON public.invoices USING btree (org_id, is_test, paid_at) INCLUDE (plan_type, currency, total) WHERE (paid_at IS NOT NULL);

CREATE INDEX invoices_newest_first ON public.invoices USING btree (org_id, is_test, created_at DESC, id DESC);

CREATE UNIQUE INDEX invoices_number_unique ON public.invoices USING btree (org_id, is_test, plan_type, number);

CREATE INDEX invoices_of_customer ON public.invoices USING btree (org_id, is_test, customer_id);

CREATE UNIQUE INDEX invoices_one_closing_per_period ON public.invoices USING btree (org_id, is_test, subscription_id, period_start) WHERE ((kind = 'closing'::text) AND (status <> 'void'::text));

CREATE UNIQUE INDEX invoices_one_draft_per_period ON public.invoices USING btree (org_id, is_test, subscription_id, period_start) WHERE ((status = 'draft'::text) AND (kind <> 'supplementary'::text));

CREATE INDEX invoices_owed_to_payees ON public.invoices USING btree (org_id, is_test) INCLUDE (currency, total, amount_paid) WHERE ((plan_type = 'payout'::text) AND (status = ANY (ARRAY['finalized'::text, 'payment_failed'::text])));

CREATE INDEX invoices_receivable ON public.invoices USING btree (org_id, is_test, customer_id) INCLUDE (currency, total, amount_paid, due_date, finalized_at) WHERE ((plan_type = 'collection'::text) AND (status = ANY (ARRAY['finalized'::text, 'payment_failed'::text])));

CREATE INDEX invoices_waiting_for_wallets ON public.invoices USING btree (org_id, is_test, customer_id) WHERE ((status = 'finalized'::text) AND (billing_mode <> 'postpaid'::text));

CREATE INDEX invoices_with_credit ON public.invoices USING btree (org_id, is_test, customer_id) WHERE has_credit;

CREATE INDEX invoices_with_rounding ON public.invoices USING btree (org_id, is_test, subscription_id) WHERE (rounded_off <> (0)::numeric);

CREATE UNIQUE INDEX ledger_accounts_one_of_customer ON public.ledger_accounts USING btree (org_id, is_test, customer_id, currency, kind) WHERE (customer_id IS NOT NULL);

CREATE INDEX ledger_transfers_by_time ON public.ledger_transfers USING brin (created_at);

CREATE UNIQUE INDEX ledger_transfers_from_sequence_unique ON public.ledger_transfers USING btree (org_id, is_test, from_account_id, from_sequence);

CREATE INDEX ledger_transfers_of_payments ON public.ledger_transfers USING btree (org_id, is_test, reference_id) WHERE ((idempotency_key = ''::text) AND (reference_type = ANY (ARRAY['invoice'::text, 'subscription_period'::text])));

CREATE UNIQUE INDEX ledger_transfers_to_sequence_unique ON public.ledger_transfers USING btree (org_id, is_test, to_account_id, to_sequence);

CREATE INDEX mail_suppressions_by_time ON public.mail_suppressions USING btree (org_id, is_test, created_at, id);

CREATE INDEX memberships_by_user ON public.memberships USING btree (user_id, joined_at);

CREATE INDEX outbox_facts_published ON public.outbox_facts USING btree (org_id, is_test, id) WHERE (published_as IS NOT NULL);

CREATE INDEX passkeys_by_user ON public.passkeys USING btree (user_id, created_at);

CREATE INDEX payment_methods_of_connection ON public.payment_methods USING btree (org_id, is_test, connection_id) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX payment_methods_one_default ON public.payment_methods USING btree (org_id, is_test, customer_id) WHERE is_default;

CREATE UNIQUE INDEX payment_methods_saved_once ON public.payment_methods USING btree (org_id, is_test, customer_id, connection_id, fingerprint_hash) WHERE (removed_at IS NULL);

CREATE INDEX payments_by_reference ON public.payments USING btree (org_id, is_test, connection_id, reference) WHERE (reference <> ''::text);

CREATE INDEX payments_of_charge ON public.payments USING btree (org_id, is_test, charge_id) WHERE (charge_id IS NOT NULL);

CREATE INDEX payments_of_customer ON public.payments USING btree (org_id, is_test, customer_id, received_at);

CREATE INDEX payments_of_invoice ON public.payments USING btree (org_id, is_test, invoice_id, received_at) WHERE (invoice_id IS NOT NULL);

CREATE UNIQUE INDEX payments_of_one_rail_counted_once ON public.payments USING btree (org_id, is_test, connection_id, rail_id, currency, amount) WHERE (rail_id <> ''::text);

CREATE INDEX payments_uncovered ON public.payments USING btree (org_id, is_test, customer_id) WHERE (uncovered > (0)::numeric);

CREATE INDEX payout_accounts_of_customer ON public.payout_accounts USING btree (org_id, is_test, customer_id, created_at) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX payout_accounts_one_default_per_currency ON public.payout_accounts USING btree (org_id, is_test, customer_id, currency) WHERE is_default;

CREATE INDEX payout_legs_of_payee ON public.payout_legs USING btree (org_id, is_test, payee_id, sent_at) INCLUDE (currency, amount, state) WHERE (sent_at IS NOT NULL);

CREATE INDEX payout_parts_in_excess ON public.payout_parts USING btree (org_id, is_test, transfer_id) WHERE is_excess;

CREATE INDEX payout_parts_of_leg ON public.payout_parts USING btree (org_id, is_test, leg_id);

CREATE INDEX payouts_below_minimum ON public.payouts USING btree (org_id, is_test, customer_id, currency) WHERE (state = 'below_minimum'::text);

CREATE INDEX payouts_that_lack_something ON public.payouts USING btree (org_id, is_test, customer_id) WHERE (state = ANY (ARRAY['due'::text, 'blocked'::text]));

CREATE INDEX payouts_waiting_for_person ON public.payouts USING btree (org_id, is_test, bill_id) WHERE (state = ANY (ARRAY['needs_approval'::text, 'failed'::text]));

CREATE INDEX pgqueuer_ep_ea_idx ON public.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON public.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON public.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON public.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON public.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON public.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON public.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON public.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::public.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON public.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON public.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON public.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON public.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::public.pgqueuer_status, 'picked'::public.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON public.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE INDEX plan_simulations_unfinished ON public.plan_simulations USING btree (org_id, is_test) WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));

CREATE INDEX portal_token_lookups_of_token ON public.portal_token_lookups USING btree (org_id, is_test, token_id);

CREATE INDEX portal_tokens_newest_first ON public.portal_tokens USING btree (org_id, is_test, created_at DESC, id DESC) WHERE ((kind = 'link'::text) AND (revoked_at IS NULL));

CREATE INDEX portal_tokens_of_customer ON public.portal_tokens USING btree (org_id, is_test, customer_id, created_at DESC, id DESC);

CREATE INDEX price_overrides_newest_first ON public.price_overrides USING btree (org_id, is_test, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX price_overrides_of_customer ON public.price_overrides USING btree (org_id, is_test, customer_id) WHERE (deleted_at IS NULL);

CREATE INDEX price_overrides_of_price ON public.price_overrides USING btree (org_id, is_test, price_id) WHERE (deleted_at IS NULL);

CREATE INDEX price_revisions_of_metric ON public.price_revisions USING btree (org_id, is_test, metric_id);

CREATE INDEX provider_calls_by_connection ON public.provider_calls USING btree (org_id, is_test, connection_id, id);

CREATE INDEX provider_events_by_age ON public.provider_events USING btree (org_id, is_test, received_at);

CREATE INDEX provider_events_by_connection ON public.provider_events USING btree (org_id, is_test, connection_id, id);

CREATE INDEX provider_events_of_refund ON public.provider_events USING btree (org_id, is_test, refund_id) WHERE (refund_id IS NOT NULL);

CREATE INDEX provider_events_waiting ON public.provider_events USING btree (org_id, is_test, id) WHERE (state = ANY (ARRAY['parked'::text, 'failed'::text]));

CREATE INDEX provider_events_waiting_for_payment ON public.provider_events USING btree (org_id, is_test, connection_id, provider_id) WHERE ((state = ANY (ARRAY['parked'::text, 'failed'::text])) AND (provider_id <> ''::text));

CREATE INDEX reconciliation_rows_open ON public.reconciliation_rows USING btree (org_id, is_test, connection_id, id) WHERE (settled_at IS NULL);

CREATE INDEX refunds_by_provider_id ON public.refunds USING btree (org_id, is_test, connection_id, provider_id) WHERE (provider_id <> ''::text);

CREATE INDEX refunds_for_a_person ON public.refunds USING btree (org_id, is_test, needs_person_at) WHERE (needs_person_at IS NOT NULL);

CREATE INDEX refunds_of_invoice ON public.refunds USING btree (org_id, is_test, invoice_id, created_at) WHERE (invoice_id IS NOT NULL);

CREATE INDEX refunds_of_payment ON public.refunds USING btree (org_id, is_test, payment_id, created_at);

CREATE UNIQUE INDEX refunds_one_live_per_payment ON public.refunds USING btree (org_id, is_test, payment_id) WHERE ((payment_id IS NOT NULL) AND (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text])));

CREATE INDEX registrations_by_age ON public.registrations USING btree (created_at);

CREATE INDEX registrations_by_email ON public.registrations USING btree (email, created_at);

CREATE INDEX replay_jobs_newest_first ON public.replay_jobs USING btree (org_id, is_test, created_at DESC, id DESC);

CREATE UNIQUE INDEX replay_jobs_one_processing ON public.replay_jobs USING btree (org_id, is_test) WHERE (status = 'processing'::text);

CREATE INDEX replay_jobs_unfinished ON public.replay_jobs USING btree (org_id, is_test) WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));

CREATE INDEX sessions_by_end ON public.sessions USING btree (expires_at);

CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id, created_at);

CREATE INDEX sign_in_attempts_by_address ON public.sign_in_attempts USING btree (address_hash, attempted_at);

CREATE INDEX sign_in_attempts_by_age ON public.sign_in_attempts USING btree (attempted_at);

CREATE INDEX sign_in_attempts_by_email ON public.sign_in_attempts USING btree (email_hash, attempted_at);

CREATE INDEX sign_in_challenges_by_end ON public.sign_in_challenges USING btree (expires_at);

CREATE UNIQUE INDEX subscription_pauses_one_open ON public.subscription_pauses USING btree (org_id, is_test, subscription_id) WHERE (ended_at IS NULL);

CREATE INDEX subscription_stretches_of_customer ON public.subscription_stretches USING btree (org_id, is_test, customer_id, plan_type, ended_at);

CREATE INDEX subscriptions_of_customer ON public.subscriptions USING btree (org_id, is_test, customer_id);

CREATE INDEX subscriptions_of_plan ON public.subscriptions USING btree (org_id, is_test, plan_id);

CREATE INDEX subscriptions_of_scheduled_plan ON public.subscriptions USING btree (org_id, is_test, scheduled_plan_id) WHERE (scheduled_plan_id IS NOT NULL);

CREATE UNIQUE INDEX subscriptions_one_active_per_plan_type ON public.subscriptions USING btree (org_id, is_test, customer_id, plan_type) WHERE ((status = ANY (ARRAY['active'::text, 'suspended'::text])) OR ((status = 'paused'::text) AND (pause_reason <> 'merchant'::text)));

CREATE INDEX subscriptions_waiting_for_balance ON public.subscriptions USING btree (org_id, is_test, id) WHERE (pause_reason = 'insufficient_balance'::text);

CREATE INDEX transfers_by_provider_id ON public.transfers USING btree (org_id, is_test, connection_id, provider_id) WHERE (provider_id <> ''::text);

CREATE INDEX transfers_for_a_person ON public.transfers USING btree (org_id, is_test, needs_person_at) WHERE (needs_person_at IS NOT NULL);

CREATE INDEX transfers_live_of_connection ON public.transfers USING btree (org_id, is_test, connection_id) WHERE (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text]));

CREATE INDEX transfers_of_account ON public.transfers USING btree (org_id, is_test, payout_account_id);

CREATE INDEX transfers_of_bill ON public.transfers USING btree (org_id, is_test, bill_id, created_at);

CREATE INDEX transfers_of_customer ON public.transfers USING btree (org_id, is_test, customer_id, created_at);

CREATE UNIQUE INDEX transfers_one_counts_per_leg ON public.transfers USING btree (org_id, is_test, leg_id) WHERE ((state = 'succeeded'::text) AND (NOT is_excess));

CREATE UNIQUE INDEX transfers_one_live_per_leg ON public.transfers USING btree (org_id, is_test, leg_id) WHERE (state = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'unknown'::text, 'needs_action'::text]));

CREATE INDEX transfers_sent_of_connection ON public.transfers USING btree (org_id, is_test, connection_id, sent_at) WHERE (sent_at IS NOT NULL);

CREATE INDEX usage_events_by_customer_and_time ON public.usage_events USING btree (customer_id, occurred_at);

CREATE INDEX usage_events_of_batch ON public.usage_events USING btree (org_id, is_test, batch_id);

CREATE INDEX virtual_accounts_by_number ON public.virtual_accounts USING btree (org_id, is_test, connection_id, account_number) WHERE (account_number <> ''::text);

CREATE INDEX virtual_accounts_by_owner ON public.virtual_accounts USING btree (org_id, is_test, connection_id, provider_customer) WHERE (provider_customer <> ''::text);

CREATE UNIQUE INDEX virtual_accounts_number_of_one_wallet ON public.virtual_accounts USING btree (org_id, is_test, connection_id, account_number) WHERE (state = ANY (ARRAY['active'::text, 'closing'::text]));

CREATE INDEX virtual_accounts_of_wallet ON public.virtual_accounts USING btree (org_id, is_test, wallet_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX virtual_accounts_one_live_per_provider ON public.virtual_accounts USING btree (org_id, is_test, wallet_id, provider) WHERE (state = ANY (ARRAY['created'::text, 'submitted'::text, 'unknown'::text, 'active'::text, 'closing'::text]));

CREATE INDEX wallet_reservations_of_wallet ON public.wallet_reservations USING btree (org_id, is_test, wallet_id, created_at DESC, id DESC);

CREATE INDEX wallet_reservations_open ON public.wallet_reservations USING btree (org_id, is_test, expires_at) WHERE (status = 'open'::text);

CREATE INDEX wallet_top_ups_of_wallet ON public.wallet_top_ups USING btree (org_id, is_test, wallet_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX wallet_top_ups_one_open ON public.wallet_top_ups USING btree (org_id, is_test, wallet_id) WHERE (status = 'open'::text);

CREATE UNIQUE INDEX wallets_money_account_unique ON public.wallets USING btree (org_id, is_test, money_account_id);

CREATE INDEX wallets_newest_first ON public.wallets USING btree (org_id, is_test, created_at DESC, id DESC);

CREATE UNIQUE INDEX wallets_reserved_account_unique ON public.wallets USING btree (org_id, is_test, reserved_account_id);

CREATE INDEX wallets_with_excess ON public.wallets USING btree (org_id, is_test, customer_id) WHERE (excess > (0)::numeric);

CREATE INDEX webhook_deliveries_by_age ON public.webhook_deliveries USING btree (org_id, is_test, created_at);

CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (org_id, is_test, endpoint_id, next_attempt_at) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_of_endpoint ON public.webhook_deliveries USING btree (org_id, is_test, endpoint_id, id);

CREATE UNIQUE INDEX webhook_deliveries_once_for_each_endpoint ON public.webhook_deliveries USING btree (org_id, is_test, endpoint_id, event_id) WHERE (retry_of IS NULL);

CREATE INDEX whatsapp_messages_by_customer ON public.whatsapp_messages USING btree (org_id, is_test, customer_id, created_at);

CREATE INDEX whatsapp_messages_by_time ON public.whatsapp_messages USING btree (org_id, is_test, created_at, id);

CREATE INDEX whatsapp_messages_by_whatsapp_id ON public.whatsapp_messages USING btree (org_id, is_test, whatsapp_id) WHERE (whatsapp_id <> ''::text);

CREATE TRIGGER check_accounts_of_changed_transfers AFTER UPDATE ON public.ledger_transfers REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.check_accounts_of_transfers();

CREATE TRIGGER check_accounts_of_new_transfers AFTER INSERT ON public.ledger_transfers REFERENCING NEW TABLE AS made FOR EACH STATEMENT WHEN ((current_setting('app.is_posting'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION public.check_accounts_of_transfers();

CREATE TRIGGER keep_accounts_of_transfers AFTER DELETE ON public.ledger_accounts REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.keep_accounts_of_transfers();

CREATE TRIGGER keep_an_owner AFTER DELETE OR UPDATE ON public.memberships FOR EACH ROW WHEN ((old.role = 'owner'::text)) EXECUTE FUNCTION public.keep_an_owner();

CREATE TRIGGER keep_attribution BEFORE UPDATE ON public.attributed_amounts FOR EACH ROW EXECUTE FUNCTION public.keep_attribution();

CREATE TRIGGER keep_charge_forward BEFORE DELETE OR UPDATE ON public.charges FOR EACH ROW EXECUTE FUNCTION public.keep_charge_forward();

CREATE TRIGGER keep_clock_forward BEFORE UPDATE ON public.test_clocks FOR EACH ROW EXECUTE FUNCTION public.keep_clock_forward();

CREATE TRIGGER keep_closed_wallet_empty BEFORE INSERT OR UPDATE ON public.wallets FOR EACH ROW EXECUTE FUNCTION public.keep_closed_wallet_empty();

CREATE TRIGGER keep_final_invoice BEFORE DELETE OR UPDATE ON public.invoices FOR EACH ROW EXECUTE FUNCTION public.keep_final_invoice();

CREATE TRIGGER keep_final_lines_from_arrival AFTER UPDATE ON public.invoice_line_items REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.keep_final_lines();

CREATE TRIGGER keep_final_lines_from_change AFTER UPDATE ON public.invoice_line_items REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.keep_final_lines();

CREATE TRIGGER keep_final_lines_from_loss AFTER DELETE ON public.invoice_line_items REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.keep_final_lines();

CREATE TRIGGER keep_final_lines_from_more AFTER INSERT ON public.invoice_line_items REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.keep_final_lines();

CREATE TRIGGER keep_final_rounding BEFORE UPDATE ON public.invoices FOR EACH ROW WHEN (((old.status <> 'draft'::text) AND (old.rounded_off IS DISTINCT FROM new.rounded_off))) EXECUTE FUNCTION public.keep_final_rounding();

CREATE TRIGGER keep_ledger_account BEFORE UPDATE OF org_id, is_test, id, currency, customer_id ON public.ledger_accounts FOR EACH ROW WHEN ((((((old.org_id IS DISTINCT FROM new.org_id) OR (old.is_test IS DISTINCT FROM new.is_test)) OR (old.id IS DISTINCT FROM new.id)) OR ((old.currency)::text IS DISTINCT FROM (new.currency)::text)) OR (old.customer_id IS DISTINCT FROM new.customer_id))) EXECUTE FUNCTION public.keep_ledger_account();

CREATE TRIGGER keep_leg_sent_once BEFORE UPDATE ON public.payout_legs FOR EACH ROW EXECUTE FUNCTION public.keep_leg_sent_once();

CREATE TRIGGER keep_legs_within_bill AFTER INSERT ON public.payout_legs REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.keep_legs_within_bill();

CREATE TRIGGER keep_payment BEFORE DELETE OR UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION public.keep_payment();

CREATE TRIGGER keep_refund_forward BEFORE DELETE OR UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION public.keep_refund_forward();

CREATE TRIGGER keep_revoked_grant BEFORE UPDATE ON public.credit_grants FOR EACH ROW WHEN (((old.revoked_at IS NOT NULL) AND (old.revoked_at IS DISTINCT FROM new.revoked_at))) EXECUTE FUNCTION public.keep_revoked_grant();

CREATE TRIGGER keep_settled_reservation BEFORE UPDATE ON public.wallet_reservations FOR EACH ROW EXECUTE FUNCTION public.keep_settled_reservation();

CREATE TRIGGER keep_settled_top_up BEFORE UPDATE ON public.wallet_top_ups FOR EACH ROW EXECUTE FUNCTION public.keep_settled_top_up();

CREATE TRIGGER keep_transfer_forward BEFORE DELETE OR UPDATE ON public.transfers FOR EACH ROW EXECUTE FUNCTION public.keep_transfer_forward();

CREATE TRIGGER keep_unlinked_entries BEFORE DELETE ON public.outbox_facts FOR EACH ROW WHEN ((old.type = 'EntriesWritten'::text)) EXECUTE FUNCTION public.keep_unlinked_entries();

CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.pgqueuer FOR EACH STATEMENT EXECUTE FUNCTION public.fn_pgqueuer_changed();

ALTER TABLE ONLY public.alert_states
    ADD CONSTRAINT alert_states_alert_fkey FOREIGN KEY (org_id, is_test, alert_id) REFERENCES public.alerts(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alert_states
    ADD CONSTRAINT alert_states_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alert_states
    ADD CONSTRAINT alert_states_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alert_states
    ADD CONSTRAINT alert_states_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id) REFERENCES public.wallets(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alert_thresholds
    ADD CONSTRAINT alert_thresholds_alert_fkey FOREIGN KEY (org_id, is_test, alert_id) REFERENCES public.alerts(org_id, is_test, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alert_watches
    ADD CONSTRAINT alert_watches_alert_fkey FOREIGN KEY (org_id, is_test, alert_id) REFERENCES public.alerts(org_id, is_test, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alert_watches
    ADD CONSTRAINT alert_watches_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_metric_fkey FOREIGN KEY (org_id, is_test, metric_id) REFERENCES public.metrics(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_organization_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(org_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.authenticator_apps
    ADD CONSTRAINT authenticator_apps_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_invoice_fkey FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_method_fkey FOREIGN KEY (org_id, is_test, method_id) REFERENCES public.payment_methods(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_top_up_fkey FOREIGN KEY (org_id, is_test, top_up_id) REFERENCES public.wallet_top_ups(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id) REFERENCES public.wallets(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.credit_grants
    ADD CONSTRAINT credit_grants_account_fkey FOREIGN KEY (org_id, is_test, account_id, currency) REFERENCES public.ledger_accounts(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.credit_grants
    ADD CONSTRAINT credit_grants_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id, currency) REFERENCES public.wallets(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.customer_mails
    ADD CONSTRAINT customer_mails_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_payment_fkey FOREIGN KEY (org_id, is_test, payment_id, currency) REFERENCES public.payments(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.email_codes
    ADD CONSTRAINT email_codes_registration_fkey FOREIGN KEY (registration_id) REFERENCES public.registrations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.email_codes
    ADD CONSTRAINT email_codes_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.invoice_collections
    ADD CONSTRAINT invoice_collections_invoice_fkey FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.invoice_line_items
    ADD CONSTRAINT invoice_line_items_invoice_fkey FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.invoice_line_items
    ADD CONSTRAINT invoice_line_items_price_fkey FOREIGN KEY (org_id, is_test, price_id) REFERENCES public.prices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.metric_versions
    ADD CONSTRAINT metric_versions_metric_fkey FOREIGN KEY (org_id, is_test, metric_id) REFERENCES public.metrics(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.onboarding_steps
    ADD CONSTRAINT onboarding_steps_organization_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(org_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.outbox_deliveries
    ADD CONSTRAINT outbox_deliveries_fact_fkey FOREIGN KEY (org_id, is_test, subject_id, "position") REFERENCES public.outbox_facts(org_id, is_test, subject_id, "position") ON DELETE RESTRICT;

ALTER TABLE ONLY public.passkey_challenges
    ADD CONSTRAINT passkey_challenges_session_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.payment_connections
    ADD CONSTRAINT payment_connections_organization_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(org_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payment_credentials
    ADD CONSTRAINT payment_credentials_connection_fkey FOREIGN KEY (org_id, connection_id) REFERENCES public.payment_connections(org_id, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payment_defaults
    ADD CONSTRAINT payment_defaults_connection_fkey FOREIGN KEY (org_id, connection_id) REFERENCES public.payment_connections(org_id, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payment_methods
    ADD CONSTRAINT payment_methods_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payment_methods
    ADD CONSTRAINT payment_methods_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_charge_fkey FOREIGN KEY (org_id, is_test, charge_id) REFERENCES public.charges(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_invoice_fkey FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_virtual_account_fkey FOREIGN KEY (org_id, is_test, virtual_account_id) REFERENCES public.virtual_accounts(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id) REFERENCES public.wallets(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_accounts
    ADD CONSTRAINT payout_accounts_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_account_fkey FOREIGN KEY (org_id, is_test, to_account_id) REFERENCES public.payout_accounts(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_payee_fkey FOREIGN KEY (org_id, is_test, payee_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_payout_fkey FOREIGN KEY (org_id, is_test, bill_id) REFERENCES public.payouts(org_id, is_test, bill_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_legs
    ADD CONSTRAINT payout_legs_transfer_fkey FOREIGN KEY (org_id, is_test, transfer_id) REFERENCES public.transfers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_parts
    ADD CONSTRAINT payout_parts_leg_fkey FOREIGN KEY (org_id, is_test, leg_id) REFERENCES public.payout_legs(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_parts
    ADD CONSTRAINT payout_parts_transfer_fkey FOREIGN KEY (org_id, is_test, transfer_id) REFERENCES public.transfers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_splits
    ADD CONSTRAINT payout_splits_account_fkey FOREIGN KEY (org_id, is_test, payout_account_id) REFERENCES public.payout_accounts(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payout_splits
    ADD CONSTRAINT payout_splits_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payouts
    ADD CONSTRAINT payouts_bill_fkey FOREIGN KEY (org_id, is_test, bill_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.payouts
    ADD CONSTRAINT payouts_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.plan_revisions
    ADD CONSTRAINT plan_revisions_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.plan_simulations
    ADD CONSTRAINT plan_simulations_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.platform_admins
    ADD CONSTRAINT platform_admins_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.portal_tokens
    ADD CONSTRAINT portal_tokens_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.price_overrides
    ADD CONSTRAINT price_overrides_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.price_overrides
    ADD CONSTRAINT price_overrides_price_fkey FOREIGN KEY (org_id, is_test, price_id) REFERENCES public.prices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.price_revisions
    ADD CONSTRAINT price_revisions_metric_fkey FOREIGN KEY (org_id, is_test, metric_id) REFERENCES public.metrics(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.price_revisions
    ADD CONSTRAINT price_revisions_plan_revision_fkey FOREIGN KEY (org_id, is_test, plan_id, plan_revision) REFERENCES public.plan_revisions(org_id, is_test, plan_id, revision) ON DELETE RESTRICT;

ALTER TABLE ONLY public.price_revisions
    ADD CONSTRAINT price_revisions_price_fkey FOREIGN KEY (org_id, is_test, plan_id, price_id) REFERENCES public.prices(org_id, is_test, plan_id, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.provider_calls
    ADD CONSTRAINT provider_calls_credentials_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_credentials_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_refund_fkey FOREIGN KEY (org_id, is_test, refund_id) REFERENCES public.refunds(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.realtime_charges
    ADD CONSTRAINT realtime_charges_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.reconciliation_looks
    ADD CONSTRAINT reconciliation_looks_credentials_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.reconciliation_rows
    ADD CONSTRAINT reconciliation_rows_credentials_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_charge_fkey FOREIGN KEY (org_id, is_test, charge_id) REFERENCES public.charges(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_invoice_fkey FOREIGN KEY (org_id, is_test, invoice_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_payment_fkey FOREIGN KEY (org_id, is_test, payment_id, currency) REFERENCES public.payments(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.replay_jobs
    ADD CONSTRAINT replay_jobs_metric_fkey FOREIGN KEY (org_id, is_test, metric_id) REFERENCES public.metrics(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_in_challenges
    ADD CONSTRAINT sign_in_challenges_user_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.subscription_pauses
    ADD CONSTRAINT subscription_pauses_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscription_phases
    ADD CONSTRAINT subscription_phases_agreed_revision_fkey FOREIGN KEY (org_id, is_test, plan_id, agreed_revision) REFERENCES public.plan_revisions(org_id, is_test, plan_id, revision) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscription_phases
    ADD CONSTRAINT subscription_phases_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscription_phases
    ADD CONSTRAINT subscription_phases_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscription_stretches
    ADD CONSTRAINT subscription_stretches_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscription_timeline
    ADD CONSTRAINT subscription_timeline_subscription_fkey FOREIGN KEY (org_id, is_test, subscription_id) REFERENCES public.subscriptions(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_agreed_revision_fkey FOREIGN KEY (org_id, is_test, plan_id, phase_agreed_revision) REFERENCES public.plan_revisions(org_id, is_test, plan_id, revision) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_plan_fkey FOREIGN KEY (org_id, is_test, plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_scheduled_plan_fkey FOREIGN KEY (org_id, is_test, scheduled_plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_trial_plan_fkey FOREIGN KEY (org_id, is_test, trial_plan_id) REFERENCES public.plans(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.test_clocks
    ADD CONSTRAINT test_clocks_organization_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(org_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.transfer_turns
    ADD CONSTRAINT transfer_turns_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_account_fkey FOREIGN KEY (org_id, is_test, payout_account_id) REFERENCES public.payout_accounts(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_bill_fkey FOREIGN KEY (org_id, is_test, bill_id) REFERENCES public.invoices(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_connection_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.usage_declines
    ADD CONSTRAINT usage_declines_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.usage_digest_totals
    ADD CONSTRAINT usage_digest_totals_digest_fkey FOREIGN KEY (org_id, is_test, span, period_start) REFERENCES public.usage_digests(org_id, is_test, span, period_start) ON DELETE CASCADE;

ALTER TABLE ONLY public.virtual_accounts
    ADD CONSTRAINT virtual_accounts_credentials_fkey FOREIGN KEY (org_id, is_test, connection_id) REFERENCES public.payment_credentials(org_id, is_test, connection_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.virtual_accounts
    ADD CONSTRAINT virtual_accounts_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.virtual_accounts
    ADD CONSTRAINT virtual_accounts_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id, currency) REFERENCES public.wallets(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.waiting_retentions
    ADD CONSTRAINT waiting_retentions_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallet_reservations
    ADD CONSTRAINT wallet_reservations_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id, currency) REFERENCES public.wallets(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallet_top_ups
    ADD CONSTRAINT wallet_top_ups_wallet_fkey FOREIGN KEY (org_id, is_test, wallet_id, currency) REFERENCES public.wallets(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_money_account_fkey FOREIGN KEY (org_id, is_test, money_account_id, currency) REFERENCES public.ledger_accounts(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_provider_account_fkey FOREIGN KEY (org_id, is_test, provider_account_id, currency) REFERENCES public.ledger_accounts(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_reserved_account_fkey FOREIGN KEY (org_id, is_test, reserved_account_id, currency) REFERENCES public.ledger_accounts(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_revenue_account_fkey FOREIGN KEY (org_id, is_test, revenue_account_id, currency) REFERENCES public.ledger_accounts(org_id, is_test, id, currency) ON DELETE RESTRICT;

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (org_id, is_test, delivery_id) REFERENCES public.webhook_deliveries(org_id, is_test, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_endpoint_fkey FOREIGN KEY (org_id, is_test, endpoint_id) REFERENCES public.webhook_endpoints(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.whatsapp_messages
    ADD CONSTRAINT whatsapp_messages_customer_fkey FOREIGN KEY (org_id, is_test, customer_id) REFERENCES public.customers(org_id, is_test, id) ON DELETE RESTRICT;

ALTER TABLE public.agenda ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_states ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_thresholds ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_watches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alerts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_key_lookups ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.attributed_amounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_entries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_heads ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.authenticator_apps ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.balance_watchers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.charges ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.counters ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.credit_grants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.customer_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.customer_mails ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.disputes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.email_codes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_counts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_retention ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_volumes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.idempotency_records ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice_collections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice_line_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.late_usage ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ledger_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ledger_requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ledger_transfers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mail_suppressions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mails ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.member_credits ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.memberships ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.metric_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.metrics ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.onboarding_steps ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outbox_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outbox_facts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outbox_listeners ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON public.agenda USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.alert_states USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.alert_thresholds USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.alert_watches USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.alerts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.api_key_lookups USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.api_keys USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.attributed_amounts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.audit_entries USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.audit_heads USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.balance_watchers USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.charges USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.counters USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.credit_grants USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.customer_changes USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.customer_mails USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.customers USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.disputes USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.event_counts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.event_retention USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.event_volumes USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.idempotency_records USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.invoice_collections USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.invoice_line_items USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.invoices USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.late_usage USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.ledger_accounts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.ledger_requests USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.ledger_transfers USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.mail_suppressions USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.mails USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.member_credits USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.metric_versions USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.metrics USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.onboarding_steps USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.organizations USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.outbox_deliveries USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.outbox_facts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.outbox_listeners USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payment_connections USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.payment_credentials USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payment_defaults USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.payment_methods USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payments USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payout_accounts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payout_batches USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payout_legs USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payout_parts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payout_splits USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.payouts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.plan_revisions USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.plan_simulations USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.plans USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.portal_token_lookups USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.portal_tokens USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.price_overrides USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.price_revisions USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.prices USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.provider_calls USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.provider_events USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.realtime_charges USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.reconciliation_looks USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.reconciliation_rows USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.refunds USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.replay_jobs USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.subscription_pauses USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.subscription_phases USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.subscription_stretches USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.subscription_timeline USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.subscriptions USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.tenant_lookups USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.test_clocks USING ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid)) WITH CHECK ((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid));

CREATE POLICY own_rows ON public.transfer_turns USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.transfers USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.unfolded_batches USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_days USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_declines USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_digest_totals USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_digests USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_events USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_hour_values USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_hours USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.usage_watchers USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.virtual_accounts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.waiting_retentions USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.wallet_reservations USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.wallet_top_ups USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.wallets USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.watched_batches USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.watched_customers USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.webhook_attempts USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.webhook_deliveries USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.webhook_endpoints USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.whatsapp_connections USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.whatsapp_messages USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.whatsapp_opt_outs USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

CREATE POLICY own_rows ON public.whatsapp_settings USING (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean))) WITH CHECK (((org_id = (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid) AND (is_test = (NULLIF(current_setting('app.is_test'::text, true), ''::text))::boolean)));

ALTER TABLE public.passkey_challenges ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.passkeys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_connections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_defaults ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_methods ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payments ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payout_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payout_batches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payout_legs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payout_parts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payout_splits ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payouts ENABLE ROW LEVEL SECURITY;

CREATE POLICY people_only ON public.authenticator_apps USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.email_codes USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.invitations USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.memberships USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.passkey_challenges USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.passkeys USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.platform_admins USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.recovery_codes USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.registrations USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.sessions USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.sign_in_attempts USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.sign_in_challenges USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.signing_keys USING ((current_setting('app.people'::text, true) = 'on'::text));

CREATE POLICY people_only ON public.users USING ((current_setting('app.people'::text, true) = 'on'::text));

ALTER TABLE public.plan_revisions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.plan_simulations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.plans ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.platform_admins ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.portal_token_lookups ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.portal_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.price_overrides ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.price_revisions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.prices ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_calls ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.realtime_charges ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reconciliation_looks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reconciliation_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.recovery_codes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.refunds ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.registrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.replay_jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sign_in_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sign_in_challenges ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.signing_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscription_pauses ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscription_phases ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscription_stretches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscription_timeline ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscriptions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_lookups ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.test_clocks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.transfer_turns ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.transfers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.unfolded_batches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_days ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_declines ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_digest_totals ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_digests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_hour_values ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_hours ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_watchers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.virtual_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.waiting_retentions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.wallet_reservations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.wallet_top_ups ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.wallets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.watched_batches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.watched_customers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_endpoints ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_connections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_opt_outs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_settings ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON FUNCTION public.chain_audit_entries(organization uuid, test boolean, records jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chain_audit_entries(organization uuid, test boolean, records jsonb[]) TO monigo_app;

REVOKE ALL ON FUNCTION public.due_work_figures(instant timestamp with time zone, most bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.due_work_figures(instant timestamp with time zone, most bigint) TO monigo_app;

REVOKE ALL ON FUNCTION public.find_api_key(hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_api_key(hash bytea) TO monigo_app;

REVOKE ALL ON FUNCTION public.find_portal_token(hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_portal_token(hash bytea) TO monigo_app;

REVOKE ALL ON FUNCTION public.lock_wallets(organization uuid, test boolean, wallet_ids uuid[], key_wallet_ids uuid[], keys text[], api_key_ids uuid[], api_key_expiries timestamp with time zone[], api_key_scopes text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.lock_wallets(organization uuid, test boolean, wallet_ids uuid[], key_wallet_ids uuid[], keys text[], api_key_ids uuid[], api_key_expiries timestamp with time zone[], api_key_scopes text[]) TO monigo_app;

REVOKE ALL ON FUNCTION public.lock_wallets_of_owners(organization uuid, test boolean, customer_ids uuid[], currencies text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.lock_wallets_of_owners(organization uuid, test boolean, customer_ids uuid[], currencies text[]) TO monigo_app;

REVOKE ALL ON FUNCTION public.locked_session_membership(organization uuid, test boolean, session uuid, person uuid, instant timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.locked_session_membership(organization uuid, test boolean, session uuid, person uuid, instant timestamp with time zone) TO monigo_app;

REVOKE ALL ON FUNCTION public.oldest_unfolded_at() FROM PUBLIC;
GRANT ALL ON FUNCTION public.oldest_unfolded_at() TO monigo_app;

REVOKE ALL ON FUNCTION public.organization_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION public.organization_ids() TO monigo_app;

REVOKE ALL ON FUNCTION public.organization_ids_of_any_trace() FROM PUBLIC;
GRANT ALL ON FUNCTION public.organization_ids_of_any_trace() TO monigo_app;

REVOKE ALL ON FUNCTION public.post_ledger_transfers(organization uuid, test boolean, account_ids uuid[], postings public.ledger_posting[], requests public.ledger_request[], made_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.post_ledger_transfers(organization uuid, test boolean, account_ids uuid[], postings public.ledger_posting[], requests public.ledger_request[], made_at timestamp with time zone) TO monigo_app;

REVOKE ALL ON FUNCTION public.reset_test_data(organization uuid, test boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.reset_test_data(organization uuid, test boolean) TO monigo_app;

REVOKE ALL ON FUNCTION public.session_membership(organization uuid, test boolean, session uuid, person uuid, instant timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.session_membership(organization uuid, test boolean, session uuid, person uuid, instant timestamp with time zone) TO monigo_app;

REVOKE ALL ON FUNCTION public.tenants_with_due_work(instant timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_with_due_work(instant timestamp with time zone) TO monigo_app;

REVOKE ALL ON FUNCTION public.tenants_with_facts(instant timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_with_facts(instant timestamp with time zone) TO monigo_app;

REVOKE ALL ON FUNCTION public.tenants_with_unfolded_batches(tenants_max integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_with_unfolded_batches(tenants_max integer) TO monigo_app;

REVOKE ALL ON FUNCTION public.tenants_with_work_set_aside() FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_with_work_set_aside() TO monigo_app;

REVOKE ALL ON FUNCTION public.waiting_fact_figures(most bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.waiting_fact_figures(most bigint) TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agenda TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.alert_states TO monigo_app;

GRANT UPDATE(status) ON TABLE public.alert_states TO monigo_app;

GRANT UPDATE(acknowledged_at) ON TABLE public.alert_states TO monigo_app;

GRANT UPDATE(acknowledged_by) ON TABLE public.alert_states TO monigo_app;

GRANT UPDATE(rearmed_at) ON TABLE public.alert_states TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.alert_states TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.alert_thresholds TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alert_watches TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.alerts TO monigo_app;

GRANT UPDATE(is_enabled) ON TABLE public.alerts TO monigo_app;

GRANT UPDATE(armed_at) ON TABLE public.alerts TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.alerts TO monigo_app;

GRANT UPDATE(deleted_at) ON TABLE public.alerts TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.api_key_lookups TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_keys TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.attributed_amounts TO monigo_app;

GRANT UPDATE(customer_id) ON TABLE public.attributed_amounts TO monigo_app;

GRANT UPDATE(recipient) ON TABLE public.attributed_amounts TO monigo_app;

GRANT UPDATE(attributed_at) ON TABLE public.attributed_amounts TO monigo_app;

GRANT SELECT ON TABLE public.audit_entries TO monigo_app;

GRANT SELECT ON TABLE public.audit_heads TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.authenticator_apps TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.balance_watchers TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.charges TO monigo_app;

GRANT UPDATE(state) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(failure_code) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(failure_reason) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(failure_is_final) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(provider_id) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(url) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(access_code) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(submitted_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(sent_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(asked) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(asked_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(first_not_found_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(needs_person_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(resolved_by) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(resolved_at) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(resolution) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(note) ON TABLE public.charges TO monigo_app;

GRANT UPDATE(is_contradicted) ON TABLE public.charges TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.counters TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.credit_grants TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.credit_grants TO monigo_app;

GRANT UPDATE(expired_at) ON TABLE public.credit_grants TO monigo_app;

GRANT UPDATE(revoked_at) ON TABLE public.credit_grants TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.customer_changes TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.customer_mails TO monigo_app;

GRANT UPDATE(status) ON TABLE public.customer_mails TO monigo_app;

GRANT UPDATE(reason) ON TABLE public.customer_mails TO monigo_app;

GRANT UPDATE(recipient) ON TABLE public.customer_mails TO monigo_app;

GRANT UPDATE(locale) ON TABLE public.customer_mails TO monigo_app;

GRANT UPDATE(subject) ON TABLE public.customer_mails TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.customer_mails TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.customers TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.disputes TO monigo_app;

GRANT UPDATE(lost_amount) ON TABLE public.disputes TO monigo_app;

GRANT UPDATE(state) ON TABLE public.disputes TO monigo_app;

GRANT UPDATE(reason) ON TABLE public.disputes TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.disputes TO monigo_app;

GRANT UPDATE(of_invoice) ON TABLE public.disputes TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.email_codes TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.event_counts TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.event_retention TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.event_volumes TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_records TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.invitations TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invoice_collections TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invoice_line_items TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invoices TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.late_usage TO monigo_app;

GRANT SELECT ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(org_id) ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(is_test) ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(id) ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(kind) ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(currency) ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(created_at) ON TABLE public.ledger_accounts TO monigo_app;

GRANT INSERT(customer_id) ON TABLE public.ledger_accounts TO monigo_app;

GRANT SELECT ON TABLE public.ledger_requests TO monigo_app;

GRANT SELECT ON TABLE public.ledger_transfers TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.mail_suppressions TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.mails TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.member_credits TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.memberships TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.metric_versions TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.metrics TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.onboarding_steps TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.organizations TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox_deliveries TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.outbox_facts TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.outbox_listeners TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.passkey_challenges TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.passkeys TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_connections TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_credentials TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.payment_defaults TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(token) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(email) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(brand) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(last4) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(exp_month) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(exp_year) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(bank) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(is_default) ON TABLE public.payment_methods TO monigo_app;

GRANT UPDATE(removed_at) ON TABLE public.payment_methods TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payments TO monigo_app;

GRANT UPDATE(provider_id) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(reference) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(kind) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(purpose) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(charge_id) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(virtual_account_id) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(customer_id) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(fee) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(is_by_person) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(invoice_id) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(to_invoice) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(wallet_id) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(to_wallet) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(refunded) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(reversed) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(uncovered) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(uncovered_at) ON TABLE public.payments TO monigo_app;

GRANT UPDATE(beyond) ON TABLE public.payments TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(account_name) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(payout_method) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(bank_name) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(bank_code) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(number_ciphertext) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(last4) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(currency) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(is_default) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(metadata) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(resolution) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(resolved_name) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(resolution_reason) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(resolution_tries) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(resolved_at) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(changed_at) ON TABLE public.payout_accounts TO monigo_app;

GRANT UPDATE(deleted_at) ON TABLE public.payout_accounts TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payout_batches TO monigo_app;

GRANT UPDATE(amount) ON TABLE public.payout_batches TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(payee_id) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(state) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(is_in_flight) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(transfer_id) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(failure_code) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(failure_reason) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(sent_at) ON TABLE public.payout_legs TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.payout_legs TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payout_parts TO monigo_app;

GRANT UPDATE(is_excess) ON TABLE public.payout_parts TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.payout_splits TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(state) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(reason) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(hold_reason) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(held_by) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(held_at) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(initiated_by) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(initiated_at) ON TABLE public.payouts TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.payouts TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pgqueuer TO monigo_app;

GRANT USAGE ON SEQUENCE public.pgqueuer_id_seq TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pgqueuer_log TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pgqueuer_schedules TO monigo_app;

GRANT USAGE ON SEQUENCE public.pgqueuer_schedules_id_seq TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pgqueuer_statistics TO monigo_app;

GRANT USAGE ON SEQUENCE public.pgqueuer_statistics_id_seq TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.plan_revisions TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.plan_simulations TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.plans TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.platform_admins TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.portal_token_lookups TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.portal_tokens TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.price_overrides TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.price_revisions TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.prices TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.provider_calls TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.provider_events TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.realtime_charges TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.reconciliation_looks TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reconciliation_rows TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.recovery_codes TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(state) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(failure_code) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(failure_reason) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(provider_id) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(submitted_at) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(asked) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(asked_at) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(first_not_found_at) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(needs_person_at) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(resolved_by) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(resolved_at) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(note) ON TABLE public.refunds TO monigo_app;

GRANT UPDATE(of_invoice) ON TABLE public.refunds TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.registrations TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.replay_jobs TO monigo_app;

GRANT SELECT ON TABLE public.schema_functions TO monigo_app;

GRANT SELECT ON TABLE public.schema_migrations TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sessions TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sign_in_attempts TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sign_in_challenges TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.signing_keys TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.subscription_pauses TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.subscription_phases TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.subscription_stretches TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.subscription_timeline TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.subscriptions TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.tenant_lookups TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.test_clocks TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.transfer_turns TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(state) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(needs_otp) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(is_alone) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(is_excess) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(failure_code) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(failure_reason) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(failure_is_final) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(batch_id) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(provider_id) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(rail_id) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(fee) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(submitted_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(sent_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(waiting_since) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(asked) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(asked_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(first_not_found_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(needs_person_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(resolved_by) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(resolved_at) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(resolution) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(note) ON TABLE public.transfers TO monigo_app;

GRANT UPDATE(is_contradicted) ON TABLE public.transfers TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.unfolded_batches TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.usage_days TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.usage_declines TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.usage_digest_totals TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.usage_digests TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.usage_events TO monigo_app;

GRANT UPDATE(properties) ON TABLE public.usage_events TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.usage_hour_values TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.usage_hours TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.usage_watchers TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.users TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(state) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(account_number) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(account_name) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(bank_name) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(bank_code) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(provider_id) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(provider_customer) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(failure_field) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(failure_reason) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(asked) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(submitted_at) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(opened_at) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(last_used_at) ON TABLE public.virtual_accounts TO monigo_app;

GRANT UPDATE(closed_at) ON TABLE public.virtual_accounts TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.waiting_retentions TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.wallet_reservations TO monigo_app;

GRANT UPDATE(captured_amount) ON TABLE public.wallet_reservations TO monigo_app;

GRANT UPDATE(status) ON TABLE public.wallet_reservations TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.wallet_reservations TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.wallet_reservations TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(status) ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(closed_at) ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(top_up_threshold) ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(top_up_amount) ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(top_up_monthly_limit) ON TABLE public.wallets TO monigo_app;

GRANT UPDATE(excess) ON TABLE public.wallets TO monigo_app;

GRANT SELECT ON TABLE public.wallet_states TO monigo_app;

GRANT SELECT,INSERT ON TABLE public.wallet_top_ups TO monigo_app;

GRANT UPDATE(deposited_amount) ON TABLE public.wallet_top_ups TO monigo_app;

GRANT UPDATE(status) ON TABLE public.wallet_top_ups TO monigo_app;

GRANT UPDATE(updated_at) ON TABLE public.wallet_top_ups TO monigo_app;

GRANT UPDATE(settled_at) ON TABLE public.wallet_top_ups TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watched_batches TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.watched_customers TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.webhook_attempts TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_deliveries TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_endpoints TO monigo_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.whatsapp_connections TO monigo_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(status) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(phone) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(template) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(language) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(parameters) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(attempts) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(whatsapp_id) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(error_code) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(reason) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(sending_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(accepted_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(sent_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(delivered_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(read_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(failed_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT UPDATE(fell_back_at) ON TABLE public.whatsapp_messages TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.whatsapp_opt_outs TO monigo_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.whatsapp_settings TO monigo_app;
