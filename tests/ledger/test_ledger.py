"""Transfers move both heads, chain their entries, and are made once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from monigo import ledger
from monigo.core.errors import DomainError, InvariantError
from monigo.core.ids import TransactionId
from monigo.ledger import AccountKind, Request, RequestKey
from support.ledger import Book, posting


@pytest.fixture
def book(api, backend):
    return Book(backend, api.tenant)


def request(key, transaction_id, content=b"a", result=None):
    return Request(key, content * 32, [transaction_id], result)


def test_a_transfer_tells_both_sides_before_and_after(book):
    source, target = book.open(funds="100"), book.open()

    (made,) = book.post(posting(source, target, "30.5"))

    assert (made.debit.balance_before, made.debit.balance_after) == (Decimal(100), Decimal("69.5"))
    assert (made.credit.balance_before, made.credit.balance_after) == (Decimal(0), Decimal("30.5"))
    assert (made.debit.sequence, made.credit.sequence) == (2, 1)


def test_transfers_of_one_account_are_made_in_their_order(book):
    wallet, revenue = book.open(funds="60"), book.open(AccountKind.REVENUE)

    made = book.post(*[posting(wallet, revenue, amount) for amount in ("10", "20", "30")])

    assert [one.debit.balance_after for one in made] == [Decimal(50), Decimal(30), Decimal(0)]
    assert [one.credit.sequence for one in made] == [1, 2, 3]


def test_transfers_are_told_in_the_order_of_the_postings(book):
    accounts = [book.open(AccountKind.REVENUE) for _ in range(5)]
    turns = [(place % 5, (place * 3 + 1) % 5) for place in range(60)]
    postings = [
        posting(accounts[source], accounts[target], "1")
        for source, target in turns
        if source != target
    ]

    made = book.post(*postings)

    stored = {
        one.id: one
        for account in accounts
        for one in book.call(ledger.entries, account, first=1, last=len(postings))
    }
    assert [stored[one.id] for one in made] == made
    assert [one.posting for one in made] == postings


def test_one_transfer_too_much_takes_all_with_it(book):
    wallet, revenue = book.open(funds="60"), book.open(AccountKind.REVENUE)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        book.post(posting(wallet, revenue, "60"), posting(wallet, revenue, "0.000001"))

    assert refused.value.constraint_name == "ledger_accounts_balance_not_negative"
    assert (book.balance(wallet), book.balance(revenue)) == (Decimal(60), Decimal(0))


@pytest.mark.parametrize("kind", [AccountKind.PROVIDER, AccountKind.REVENUE])
def test_the_merchants_side_may_go_below_zero(book, kind):
    counter, wallet = book.open(kind), book.open()

    book.post(posting(counter, wallet, "5"))

    assert book.balance(counter) == Decimal(-5)


def test_an_accounts_entries_are_read_by_their_place(book):
    wallet, revenue = book.open(funds="60"), book.open(AccountKind.REVENUE)
    made = book.post(*[posting(wallet, revenue, "1") for _ in range(5)])

    read = book.call(ledger.entries, wallet, first=3, last=5)

    assert read == [made[3], made[2], made[1]]


def test_a_request_is_found_with_the_transfers_that_came_of_it(book):
    wallet, revenue, transaction_id = (
        book.open(funds="9"),
        book.open(AccountKind.REVENUE),
        TransactionId(uuid4()),
    )
    key = RequestKey(uuid4(), "k")
    legs = [posting(wallet, revenue, "1", transaction_id=transaction_id) for _ in range(2)]

    made = book.post(*legs, requests=[request(key, transaction_id, result={"n": 1})])

    found = book.call(ledger.find_requests, [key, RequestKey(key.scope, "other")])
    assert list(found) == [key]
    assert (found[key].transfers, found[key].result) == (made, {"n": 1})


def test_a_key_is_remembered_once(book):
    wallet, revenue = book.open(funds="9"), book.open(AccountKind.REVENUE)
    key = RequestKey(uuid4(), "k")
    first, second = posting(wallet, revenue, "1"), posting(wallet, revenue, "1")
    book.post(first, requests=[request(key, first.transaction_id)])

    with pytest.raises(DomainError) as refused:
        book.post(second, requests=[request(key, second.transaction_id)])

    assert refused.value.code == "request_running"
    assert book.balance(wallet) == Decimal(8)


def test_the_kinds_of_a_currency_sum_up_to_nothing(book):
    wallet, dollars = book.open(funds="100"), book.open(currency="USD", funds="7")
    book.post(posting(wallet, book.open(AccountKind.REVENUE), "30"))

    totals = {(one.kind, one.currency): one.balance for one in book.call(ledger.totals)}

    assert totals["customer_wallet", "NGN"] == Decimal(70)
    assert totals["provider", "NGN"] == Decimal(-100)
    assert totals["revenue", "NGN"] == Decimal(30)
    assert totals["customer_wallet", "USD"] == -totals["provider", "USD"] == book.balance(dollars)


def test_too_many_postings_at_once_are_our_own_fault(book):
    one = posting(book.open(), book.open(), "1")

    with pytest.raises(InvariantError):
        book.post(*[one] * (ledger.POSTINGS_MAX + 1))


def test_transfers_in_every_order_never_wait_for_each_other(book):
    accounts = [book.open(funds="1000") for _ in range(6)]

    def shuffle(turn):
        rotated = accounts[turn % 6 :] + accounts[: turn % 6]
        pairs = [(rotated[0], rotated[5]), (rotated[3], rotated[1]), (rotated[4], rotated[2])]
        book.post(*[posting(source, target, "1") for source, target in pairs])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shuffle, range(120)))

    assert sum(book.balance(account) for account in accounts) == Decimal(6000)
    assert book.differences() == []


def test_what_a_later_transfer_of_the_call_brings_pays_no_earlier_one(book):
    wallet, revenue = book.open(), book.open(AccountKind.REVENUE)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        book.post(posting(wallet, revenue, "10"), posting(revenue, wallet, "10"))

    assert refused.value.constraint_name == "ledger_accounts_balance_not_negative"
    assert (book.balance(wallet), book.balance(revenue)) == (Decimal(0), Decimal(0))
