"""A link of an account's chain, byte by byte: what is sealed by it can't change unseen."""

from decimal import Decimal
from hashlib import sha256

import pytest

from monigo.ledger import AccountKind
from support.ledger import Book, posting

LINK = "SELECT ledger_chain_link($1, $2, $3, $4) AS link"
# Each transfer with what its two sides' links are made of.
LINKS = """
    SELECT from_sequence, from_balance_after, from_chain_hash, to_sequence, to_balance_after,
        to_chain_hash, ledger_transfer_content(
            org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount, currency,
            entry_type, description, reference_type, reference_id, counterparty, idempotency_key,
            metadata, created_at
        ) AS content
    FROM ledger_transfers
    WHERE org_id = $1 AND from_account_id = $2
    ORDER BY from_sequence
"""
FIRST = bytes(32)


@pytest.fixture
def book(api, backend):
    return Book(backend, api.tenant)


def link(backend, previous, content, sequence, balance):
    (row,) = backend.sql(LINK, previous, content, sequence, Decimal(balance))
    return row["link"]


def test_a_link_is_over_the_one_before_the_transfer_the_sequence_and_the_balance(backend):
    made = link(backend, FIRST, b"a transfer", 7, "12.500000")

    assert made == sha256(FIRST + b"a transfer" + b"7 12.500000").digest()
    assert made.hex() == "c4e7eda53f71dbff5170ad0110d7d829ffa3dad784c1cddb9ebf638b8d37b47f"


@pytest.mark.parametrize(
    "other",
    [
        (b"\x01" * 32, b"a transfer", 7, "12.500000"),
        (FIRST, b"another transfer", 7, "12.500000"),
        (FIRST, b"a transfer", 8, "12.500000"),
        (FIRST, b"a transfer", 7, "12.500001"),
        (FIRST, b"a transfer", 7, "-12.500000"),
    ],
)
def test_whatever_differs_makes_another_link(backend, other):
    known = link(backend, FIRST, b"a transfer", 7, "12.500000")

    assert link(backend, *other) != known


def test_each_transfer_is_linked_to_the_one_before_it_on_both_sides(book, backend):
    wallet, revenue = book.open(), book.open(AccountKind.REVENUE)
    book.post(posting(revenue, wallet, "30"), posting(revenue, wallet, "12.5"))

    first, second = backend.sql(LINKS, book.tenant.org_id, revenue)

    assert (
        second["from_chain_hash"]
        == sha256(first["from_chain_hash"] + second["content"] + b"2 -42.500000").digest()
    )
    assert (
        second["to_chain_hash"]
        == sha256(first["to_chain_hash"] + second["content"] + b"2 42.500000").digest()
    )
