"""What the database refuses by itself, whatever SQL the application's role sends."""

from uuid import uuid4

import asyncpg
import pytest

from monigo.ledger import AccountKind
from support.api import Api
from support.ledger import Book, posting

POST = """
    SELECT id FROM post_ledger_transfers(
        $7, $8, $1::uuid[],
        ARRAY[(
            $2::uuid, $2::uuid, $6::integer, 3 - $6::integer, $3::text::numeric, $4::text, $5::text,
            '', '', '', '', '', '{}'
        )::ledger_posting],
        '{}', now()
    )
"""
INSERT = """
    INSERT INTO ledger_transfers (org_id, is_test, id, from_account_id, to_account_id, amount)
    VALUES ($1, $2, gen_random_uuid(), $3, $4, 1)
"""

# What is missing in a list ends as no place or as no value.
NULL_REFUSED = (asyncpg.NotNullViolationError, asyncpg.NullValueNotAllowedError)


@pytest.fixture
def book(api, backend):
    return Book(backend, api.tenant)


@pytest.fixture
def accounts(book):
    """A wallet's account with 100 naira, one of revenue, and one in dollars."""
    return (
        book.open(funds="100"),
        book.open(AccountKind.REVENUE),
        book.open(AccountKind.REVENUE, currency="USD"),
    )


def transfer(  # noqa: PLR0917 - what a transfer is made of
    book, source, target, amount, currency="NGN", entry_type="usage"
):
    place = 1 if source < target else 2
    arguments = (sorted([source, target]), uuid4(), str(amount), currency, entry_type, place)
    arguments += (book.tenant.org_id, book.tenant.is_test)
    return book.backend.sql(POST, *arguments, as_app=book.tenant)


def refusal(attempt, *arguments):
    with pytest.raises(asyncpg.PostgresError) as refused:
        attempt(*arguments)
    return refused.value


def test_a_bare_call_is_chained_like_any_other(book, accounts):
    wallet, revenue, _ = accounts

    transfer(book, wallet, revenue, 40)

    assert (book.balance(wallet), book.balance(revenue)) == (60, 40)
    assert book.differences() == []


@pytest.mark.parametrize(
    ("amount", "constraint"),
    [
        ("100.000001", "ledger_accounts_balance_not_negative"),
        ("0", "ledger_transfers_amount_positive"),
        ("-1", "ledger_transfers_amount_positive"),
        ("NaN", "ledger_transfers_amount_positive"),
    ],
)
def test_no_amount_breaks_a_balance(book, accounts, amount, constraint):
    wallet, revenue, _ = accounts
    book.post(posting(wallet, revenue, "10"), posting(revenue, wallet, "10"))

    refused = refusal(transfer, book, wallet, revenue, amount)

    assert refused.constraint_name == constraint
    assert book.balance(wallet) == 100


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_no_transfer_joins_two_currencies(book, accounts, currency):
    wallet, _, dollars = accounts

    refused = refusal(transfer, book, wallet, dollars, 1, currency)

    assert refused.constraint_name in {
        "ledger_transfers_from_account_fkey",
        "ledger_transfers_to_account_fkey",
    }


def test_a_transfer_needs_two_accounts(book, accounts):
    wallet, revenue, _ = accounts

    refused = refusal(post_raw, book, f"{{{wallet},{revenue}}}", (1, 1))

    assert refused.constraint_name == "ledger_transfers_between_two_accounts"


def test_a_transfer_has_a_known_type(book, accounts):
    wallet, revenue, _ = accounts

    refused = refusal(transfer, book, wallet, revenue, 1, "NGN", "theft")

    assert refused.constraint_name == "ledger_transfers_entry_type_known"


@pytest.mark.parametrize("is_test", [True, False])
def test_no_transfer_reaches_another_tenants_account(backend, book, accounts, is_test):
    with Api.of_new_organization(backend, is_test=is_test) as other:
        foreign = Book(backend, other.tenant).open(funds="50")

        taken = refusal(transfer, book, foreign, accounts[1], 1)
        given = refusal(transfer, book, accounts[0], foreign, 1)

        assert taken.constraint_name == "ledger_transfers_from_account_fkey"
        assert given.constraint_name == "ledger_transfers_to_account_fkey"
        assert Book(backend, other.tenant).balance(foreign) == 50


def post_raw(book, account_ids, *places):
    """Post transfers of 10 naira with accounts and places as no honest caller has them.

    `account_ids` is an array's text, which tells its bounds, too; a place that is None is a posting
    of nulls only.
    """
    postings = [
        f"(gen_random_uuid(), gen_random_uuid(), {_sql(source)}, {_sql(target)}, 10, 'NGN',"
        " 'usage', '', '', '', '', '', '{}')"
        for source, target in filter(None, places)
    ]
    postings += ["NULL"] * places.count(None)
    statement = f"""
        SELECT id FROM post_ledger_transfers(
            $2, $3, $1::text::uuid[], ARRAY[{", ".join(postings)}]::ledger_posting[], '{{}}', now()
        )
    """
    tenant = book.tenant
    return book.backend.sql(statement, account_ids, tenant.org_id, tenant.is_test, as_app=tenant)


def _sql(place):
    return "NULL" if place is None else place


@pytest.mark.parametrize(
    "account_ids",
    ["{{{0},{0},{1}}}", "{{{0},{1},{1}}}", "{{{1},{0}}}", "[5:6]={{{0},{1}}}", "{{{{{0},{1}}}}}"],
)
def test_accounts_are_named_once_each_and_in_order(book, accounts, account_ids):
    """Then a place can't mean two accounts, or another one than was meant."""
    wallet, revenue, _ = accounts

    refused = refusal(post_raw, book, account_ids.format(wallet, revenue), (1, 2))

    assert isinstance(refused, asyncpg.InvalidParameterValueError)
    assert (book.balance(wallet), book.balance(revenue)) == (100, 0)


@pytest.mark.parametrize(("source", "target"), [(0, 2), (3, 2), (1, 0), (1, 3), (None, 2)])
def test_a_place_without_an_account_moves_nothing(book, accounts, source, target):
    wallet, revenue, _ = accounts

    refused = refusal(post_raw, book, f"{{{wallet},{revenue}}}", (source, target))

    assert isinstance(refused, NULL_REFUSED)
    assert (book.balance(wallet), book.balance(revenue)) == (100, 0)
    assert book.differences() == []


def test_a_posting_of_nothing_moves_nothing(book, accounts):
    wallet, revenue, _ = accounts

    refused = refusal(post_raw, book, f"{{{wallet},{revenue}}}", (1, 2), None)

    assert isinstance(refused, NULL_REFUSED)
    assert (book.balance(wallet), book.balance(revenue)) == (100, 0)


def test_no_transfer_is_inserted_by_hand(book, accounts):
    wallet, revenue, _ = accounts
    tenant = book.tenant

    refused = refusal(
        lambda: book.backend.sql(
            INSERT, tenant.org_id, tenant.is_test, wallet, revenue, as_app=tenant
        )
    )

    assert isinstance(refused, asyncpg.InsufficientPrivilegeError)


@pytest.mark.parametrize(
    ("organization", "test"),
    [
        ("$1::uuid", "NOT $2::boolean"),
        ("gen_random_uuid()", "$1::uuid IS NOT NULL AND $2::boolean"),
        ("NULL", "$1::uuid IS NOT NULL AND $2::boolean"),
        ("$1::uuid", "$2::boolean AND NULL"),
    ],
)
@pytest.mark.parametrize("is_bound", [True, False])
def test_nothing_is_posted_for_another_tenant(book, accounts, organization, test, is_bound):
    """Nor by the owner, bound to none."""
    assert accounts
    tenant = book.tenant
    statement = f"""
        SELECT id FROM post_ledger_transfers(
            {organization}, {test}, '{{}}', '{{}}',
            ARRAY[(gen_random_uuid(), 'k', sha256(''), '{{}}', '{{}}')::ledger_request], now()
        )
    """

    refused = refusal(
        lambda: book.backend.sql(
            statement, tenant.org_id, tenant.is_test, as_app=tenant if is_bound else None
        )
    )

    assert isinstance(refused, asyncpg.InsufficientPrivilegeError)


@pytest.mark.parametrize("side", ["from", "to"])
def test_not_even_the_owner_moves_a_transfer_to_another_currency(book, accounts, side):
    wallet, revenue, dollars = accounts
    (made,) = book.post(posting(wallet, revenue, "10"))
    statement = f"UPDATE ledger_transfers SET {side}_account_id = $1 WHERE id = $2"

    refused = refusal(book.backend.sql, statement, dollars, made.id)

    assert isinstance(refused, asyncpg.ForeignKeyViolationError)
    assert refused.constraint_name == f"ledger_transfers_{side}_account_fkey"
    assert book.differences() == []


@pytest.mark.parametrize("place", [0, 1])
def test_an_account_with_transfers_stays(book, accounts, place):
    book.post(posting(accounts[0], accounts[1], "10"))

    refused = refusal(
        book.backend.sql, "DELETE FROM ledger_accounts WHERE id = $1", accounts[place]
    )

    assert refused.constraint_name == "ledger_accounts_keep_their_transfers"


@pytest.mark.parametrize(
    "change", ["currency = 'USD'", "id = gen_random_uuid()", "is_test = NOT is_test"]
)
def test_an_account_stays_what_it_is(book, accounts, change):
    statement = f"UPDATE ledger_accounts SET {change} WHERE id = $1"

    refused = refusal(book.backend.sql, statement, accounts[0])

    assert refused.constraint_name == "ledger_accounts_identity_fixed"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_accounts SET balance = balance + 1",
        "UPDATE ledger_accounts SET sequence = 0",
        "UPDATE ledger_accounts SET currency = 'USD'",
        "UPDATE ledger_accounts SET kind = 'provider'",
        "DELETE FROM ledger_accounts",
        "TRUNCATE ledger_accounts CASCADE",
        "UPDATE ledger_transfers SET amount = 1",
        "UPDATE ledger_transfers SET description = ''",
        "UPDATE ledger_transfers SET from_balance_after = 0",
        "DELETE FROM ledger_transfers",
        "TRUNCATE ledger_transfers",
        "INSERT INTO ledger_requests SELECT * FROM ledger_requests",
        "UPDATE ledger_requests SET result = '{}'",
        "DELETE FROM ledger_requests",
        "ALTER FUNCTION post_ledger_transfers RESET ALL",
        "INSERT INTO ledger_transfers SELECT * FROM ledger_transfers",
        (
            "INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, created_at, balance)"
            " SELECT org_id, is_test, gen_random_uuid(), kind, currency, now(), 100"
            " FROM ledger_accounts"
        ),
        (
            "INSERT INTO ledger_transfers SELECT * FROM ledger_transfers"
            " ON CONFLICT (org_id, is_test, id) DO UPDATE SET amount = 1"
        ),
    ],
)
def test_the_application_may_not(book, accounts, statement):
    assert book.differences() == []

    refused = refusal(lambda: book.backend.sql(statement, as_app=book.tenant))

    assert isinstance(refused, asyncpg.InsufficientPrivilegeError)
    assert book.balance(accounts[0]) == 100


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("kind", "'loan'", "ledger_accounts_kind_known"),
        ("currency", "'naira'", "ledger_accounts_currency_is_iso_4217"),
        ("id", "id", "ledger_accounts_pkey"),
    ],
)
def test_an_account_is_opened_by_the_rules(book, accounts, column, value, constraint):
    assert accounts
    values = {"id": "gen_random_uuid()", "kind": "kind", "currency": "currency", column: value}
    statement = (
        "INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, created_at)"
        f" SELECT org_id, is_test, {values['id']}, {values['kind']}, {values['currency']}, now()"
        " FROM ledger_accounts"
    )

    refused = refusal(lambda: book.backend.sql(statement, as_app=book.tenant))

    assert refused.constraint_name == constraint


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (
            "ledger_transfers SET from_balance_after = from_balance_after + 1",
            "ledger_transfers_balances_follow",
        ),
        ("ledger_transfers SET to_sequence = 0", "ledger_transfers_sequences_positive"),
        ("ledger_transfers SET to_chain_hash = ''", "ledger_transfers_hashes_are_sha256"),
        ("ledger_accounts SET sequence = -1", "ledger_accounts_sequence_not_negative"),
        ("ledger_accounts SET chain_hash = ''", "ledger_accounts_hash_is_sha256"),
    ],
)
def test_even_the_owner_keeps_rows_sound(book, accounts, change, constraint):
    assert accounts

    refused = refusal(book.backend.sql, f"UPDATE {change} WHERE org_id = $1", book.tenant.org_id)

    assert refused.constraint_name == constraint
