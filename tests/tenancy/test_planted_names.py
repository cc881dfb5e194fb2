"""Triggers and owner's functions mean our tables and functions, whatever somebody plants.

The application's role may make nothing at all. Here it is given the right to, as in a database that
was restored elsewhere, and plants tables, functions and operators under names that are ours.
"""

import asyncio
import re
from uuid import uuid4

import asyncpg
import pytest

from monigo import audit
from monigo.infra import outbox
from support.api import Api
from support.ledger import Book
from support.tenants import fill

PINNED = "search_path=pg_catalog, public, pg_temp"
# What is first in it, is found first. PostgreSQL never looks into pg_temp for functions.
PLANTED_PATH = "pg_temp, planted, public, pg_catalog"
# Only migrations call them.
BY_MIGRATIONS_ONLY = {"restrict_to_tenant", "restrict_to_people"}

FUNCTIONS = """
    SELECT proname AS name, prorettype = 'trigger'::regtype AS is_trigger,
        prosecdef AS is_the_owners, coalesce(proconfig, '{}') AS settings,
        CASE WHEN prosqlbody IS NULL THEN prosrc ELSE '' END AS body
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
"""
OUR_NAMES = """
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
"""
READABLE = """
    SELECT quote_ident(relname) AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND has_table_privilege('monigo_app', oid, 'SELECT')
"""

# Operators that say the contrary of what they should, for the types that rules compare.
_OPERATORS = "".join(
    f"""
    CREATE FUNCTION planted.says_{answer}({type_name}, {type_name}) RETURNS boolean
        LANGUAGE sql IMMUTABLE RETURN {answer};
    """
    + "".join(
        f"""
    CREATE OPERATOR planted.{sign} (
        LEFTARG = {type_name}, RIGHTARG = {type_name}, FUNCTION = planted.says_{answer}
    );
    """
        for sign in signs
    )
    for type_name in ("text", "uuid", "timestamptz", "numeric", "boolean", "bigint")
    for answer, signs in (("true", ("=",)), ("false", ("<", "<>", ">")))
)
PLANT = f"""
    {_OPERATORS}
    CREATE FUNCTION planted.is_reset(regclass, boolean) RETURNS boolean
        LANGUAGE sql RETURN true;
    CREATE FUNCTION planted.ledger_chain_link(bytea, bytea, bigint, numeric) RETURNS bytea
        LANGUAGE sql RETURN '\\x00'::bytea;
    CREATE FUNCTION planted.refuse_ledger_accounts(uuid[], public.ledger_posting[]) RETURNS void
        LANGUAGE sql AS 'SELECT';
    CREATE FUNCTION planted.sha256(bytea) RETURNS bytea LANGUAGE sql RETURN '\\x00'::bytea;
    CREATE FUNCTION planted.current_setting(text, boolean) RETURNS text
        LANGUAGE sql RETURN '00000000-0000-0000-0000-000000000000'::text;
"""

# What the application may ask of tables, and the rule that keeps it from doing harm.
AS_APPLICATION = {
    "lines deleted": (
        "DELETE FROM public.invoice_line_items",
        "invoice_line_items_final_immutable",
    ),
    "a line added": (
        """
        INSERT INTO public.invoice_line_items
        SELECT (jsonb_populate_record(
            line, '{"id": "00000000-0000-0000-0000-000000000001", "position": 99}'
        )).*
        FROM public.invoice_line_items AS line
        WHERE invoice_id OPERATOR(pg_catalog.=) ANY (
            SELECT id FROM public.invoices WHERE status OPERATOR(pg_catalog.=) 'finalized'
        )
        LIMIT 1
        """,
        "invoice_line_items_final_immutable",
    ),
    "an invoice changed": (
        "UPDATE public.invoices SET total = 0, subtotal = 0",
        "invoices_final_immutable",
    ),
    "an invoice's state": (
        "UPDATE public.invoices SET status = 'draft'",
        "invoices_status_moves_forward",
    ),
    "an invoice deleted": ("DELETE FROM public.invoices", "invoices_final_immutable"),
    "a clock set back": (
        "UPDATE public.test_clocks SET now_at = now_at - interval '1 second'",
        "test_clocks_moves_forward",
    ),
    "a wallet with money closed": (
        "UPDATE public.wallets SET status = 'closed', closed_at = now()",
        "wallets_closed_is_empty",
    ),
    "a reservation opened again": (
        "UPDATE public.wallet_reservations SET status = 'open'",
        "wallet_reservations_settled_once",
    ),
    "a top-up opened again": (
        "UPDATE public.wallet_top_ups SET status = 'open'",
        "wallet_top_ups_settled_once",
    ),
    "more taken than there is": (
        """
        SELECT 1 FROM public.post_ledger_transfers(
            pg_catalog.current_setting('app.org_id')::uuid, true,
            (
                SELECT array_agg(side.id ORDER BY side.id USING OPERATOR(pg_catalog.<))
                FROM public.wallets AS wallet
                CROSS JOIN LATERAL (VALUES (money_account_id), (revenue_account_id)) AS side (id)
            ),
            ARRAY[(
                gen_random_uuid(), gen_random_uuid(), {source}, 3 - {source}, 1000, 'NGN', 'usage',
                '', '', '', '', '', '{{}}'
            )::public.ledger_posting],
            '{{}}', now()
        )
        """,
        "ledger_accounts_balance_not_negative",
    ),
}
# What only the owner may, and a rule keeps even the owner from.
AS_OWNER = {
    "an account renamed": (
        "UPDATE public.ledger_accounts SET currency = 'USD'",
        "ledger_accounts_identity_fixed",
    ),
    "an account deleted": (
        "DELETE FROM public.ledger_accounts WHERE id OPERATOR(pg_catalog.=) '{account}'",
        "ledger_accounts_keep_their_transfers",
    ),
    "a transfer to another currency": (
        "UPDATE public.ledger_transfers SET currency = 'USD'",
        "ledger_transfers_from_account_fkey",
    ),
}


@pytest.fixture(scope="module")
def merchant(backend):
    """A tenant of whom each rule keeps something."""
    with Api.of_new_organization(backend) as api:
        ids = fill(api, "planted")
        held = f"/v1/wallets/{ids['wallet_id']}/reservations/{ids['reservation_id']}"
        assert api.post(f"{held}/release").status_code == 200
        backend.sql(
            "UPDATE wallet_top_ups SET status = 'canceled', settled_at = now() WHERE org_id = $1",
            api.org_id,
        )
        yield api


@pytest.fixture(scope="module")
def planted(backend):
    """A schema that the application's role may fill, and does."""
    database = backend.sql("SELECT quote_ident(current_database()) AS name")[0]["name"]

    def let(change, whom):
        backend.sql(f"{change} TEMPORARY ON DATABASE {database} {whom} monigo_app")

    let("GRANT", "TO")
    backend.sql("CREATE SCHEMA planted")
    backend.sql("GRANT ALL ON SCHEMA planted TO monigo_app")
    asyncio.run(as_role(backend.app_url, PLANT))
    yield
    backend.sql("DROP SCHEMA planted CASCADE")
    let("REVOKE", "FROM")


async def as_role(url, *statements):
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def under_planted_names(url, readable, tenant, statement):
    """Run a statement of a tenant's after an empty table was planted for each of ours."""
    connection = await asyncpg.connect(url)
    try:
        for name in readable:
            await connection.execute(f"CREATE TEMPORARY TABLE {name} (LIKE public.{name})")
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL app.org_id = '{tenant.org_id}'; SET LOCAL app.is_test = 'true';"
                f" SET LOCAL search_path = {PLANTED_PATH}"
            )
            return await connection.fetch(statement)
    finally:
        await connection.close()


def attack(backend, merchant, statement, *, as_owner=False):
    readable = [row["name"] for row in backend.sql(READABLE)]
    url = backend.owner_url if as_owner else backend.app_url
    return asyncio.run(under_planted_names(url, readable, merchant.tenant, statement))


def refusal(backend, merchant, statement, **how):
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        attack(backend, merchant, statement, **how)
    return refused.value.constraint_name


def place_of_money(backend, merchant):
    """At which place the wallet's own account stands among the two, in order."""
    row = backend.sql(
        "SELECT money_account_id AS money, revenue_account_id AS revenue FROM wallets"
        " WHERE org_id = $1",
        merchant.org_id,
    )[0]
    return 1 if row["money"] < row["revenue"] else 2


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("name", AS_APPLICATION)
def test_no_planted_name_opens_a_rule_to_the_application(backend, merchant, name):
    statement, rule = AS_APPLICATION[name]
    place = str(place_of_money(backend, merchant))
    statement = statement.replace("{source}", place).replace("{{}}", "{}")

    assert refusal(backend, merchant, statement) == rule


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("name", AS_OWNER)
def test_no_planted_name_opens_a_rule_to_the_owner(backend, merchant, name):
    statement, rule = AS_OWNER[name]
    account = Book(backend, merchant.tenant).open(funds="1")
    statement = statement.replace("{account}", str(account))

    assert refusal(backend, merchant, statement, as_owner=True) == rule


@pytest.mark.usefixtures("planted")
def test_no_planted_name_has_a_reset_clear_what_is_not_the_tenants(backend):
    with Api.of_new_organization(backend) as own, Api.of_new_organization(backend) as other:
        own.customer()
        other.customer()

        # As a reset does first: entries of the audit log outlive it.
        backend.run(outbox.deliver_all(backend.services.database, audit.CHAIN, own.tenant))
        attack(backend, own, f"SELECT 1 FROM public.reset_test_data('{own.org_id}', true)")

        assert own.get("/v1/customers").json()["count"] == 0
        assert other.get("/v1/customers").json()["count"] == 1


@pytest.mark.usefixtures("planted")
def test_no_planted_name_misleads_a_look_up(backend, merchant):
    known = attack(backend, merchant, "SELECT 1 FROM public.find_api_key('\\x00')")
    organizations = attack(backend, merchant, "SELECT 1 FROM public.organization_ids()")

    assert known == []
    assert len(organizations) > 0


@pytest.mark.usefixtures("planted")
def test_what_is_planted_would_be_taken_where_names_are_not_pinned(backend, merchant):
    """Or the tests above would prove nothing."""
    rows = attack(backend, merchant, f"SELECT 'a'::text = '{uuid4()}'::text AS is_same")
    invoices = attack(backend, merchant, "SELECT 1 FROM invoices")

    assert (rows[0]["is_same"], invoices) == (True, [])


def test_every_trigger_and_owners_function_pins_its_names(backend):
    open_ones = [
        row["name"]
        for row in backend.sql(FUNCTIONS)
        if (row["is_trigger"] or row["is_the_owners"]) and PINNED not in row["settings"]
    ]

    assert open_ones == []


def test_all_other_functions_name_the_schema_of_what_is_ours(backend):
    """They can't be pinned, for a function with a setting is no part of a distributed query."""
    functions = backend.sql(FUNCTIONS)
    tables = "|".join(row["name"] for row in backend.sql(OUR_NAMES))
    calls = "|".join({row["name"] for row in functions})
    unqualified = re.compile(
        rf"(?:\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:{tables})\b)|(?:(?<![.\w])(?:{calls})\s*\()"
    )

    offending = [
        (row["name"], found[0])
        for row in functions
        if PINNED not in row["settings"] and row["name"] not in BY_MIGRATIONS_ONLY
        if (found := unqualified.search(row["body"]))
    ]

    assert offending == []
