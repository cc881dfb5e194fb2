"""All SQL of the ledger but that of its verification."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from monigo.core.errors import DomainError, conflict, invalid
from monigo.core.ids import LedgerAccountId, TransactionId, TransferId
from monigo.infra import json
from monigo.infra.db import (
    Answer,
    Argument,
    Statement,
    Transaction,
    read_numeric,
    read_uuid,
    violation_in,
)
from monigo.ledger.types import (
    Account,
    AccountKind,
    CustomerAccount,
    EntryType,
    NewAccount,
    Posting,
    Request,
    RequestKey,
    Side,
    Total,
    Transfer,
)

# How a posting's answer is read.
_READS = (read_uuid, *(read_numeric, read_numeric, int) * 2)

# What the database fills in.
SIDES = """
    from_balance_before, from_balance_after, from_sequence,
    to_balance_before, to_balance_after, to_sequence
"""

COLUMNS = f"""
    id, transaction_id, from_account_id, to_account_id, amount, currency, entry_type, description,
    reference_type, reference_id, counterparty, idempotency_key, metadata, created_at, {SIDES}
"""

INSERT_ACCOUNTS = """
    INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, created_at)
    SELECT $1, $2, id, kind, currency, $6
    FROM unnest($3::uuid[], $4::text[], $5::text[]) AS opened (id, kind, currency)
    RETURNING 1
"""

# Of two transactions that open an account at once, the second waits and then finds it there.
OPEN_MISSING = """
    INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, customer_id, created_at)
    SELECT $1, $2, opened.id, opened.kind, opened.currency, opened.customer_id, $7
    FROM unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[])
        AS opened (id, kind, currency, customer_id)
    WHERE NOT EXISTS (
        SELECT 1 FROM ledger_accounts AS known
        WHERE known.org_id = $1 AND known.is_test = $2 AND known.id = opened.id
    )
    ORDER BY opened.id
    ON CONFLICT (org_id, is_test, id) DO NOTHING
"""

SELECT_ACCOUNTS = """
    SELECT id, kind, currency, balance, sequence FROM ledger_accounts
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

POST = f"""
    SELECT id, {SIDES}
    FROM post_ledger_transfers($1, $2, $3, $4, $5, $6)
"""

POST_UNREAD = "SELECT count(*) FROM post_ledger_transfers($1, $2, $3, $4, $5, $6)"

SELECT_TRANSFERS = f"""
    SELECT {COLUMNS} FROM ledger_transfers
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

# Sequences have no gaps, so a page is a range of them, however far back it lies.
SELECT_ENTRIES = f"""
    SELECT {COLUMNS}, from_sequence AS sequence FROM ledger_transfers
    WHERE org_id = $1 AND is_test = $2 AND from_account_id = $3
        AND from_sequence BETWEEN $4 AND $5
    UNION ALL
    SELECT {COLUMNS}, to_sequence FROM ledger_transfers
    WHERE org_id = $1 AND is_test = $2 AND to_account_id = $3
        AND to_sequence BETWEEN $4 AND $5
    ORDER BY sequence DESC
"""

# Each key has an index look-up of its own: for a join the planner may read the whole table.
SELECT_REQUESTS = """
    SELECT kept.scope, kept.idempotency_key, kept.content_hash, kept.transfer_ids, kept.result
    FROM unnest($3::uuid[], $4::text[]) AS asked (scope, idempotency_key)
    CROSS JOIN LATERAL (
        SELECT scope, idempotency_key, content_hash, transfer_ids, result
        FROM ledger_requests
        WHERE org_id = $1 AND is_test = $2 AND scope = asked.scope
            AND idempotency_key = asked.idempotency_key
        LIMIT 1
    ) AS kept
"""

SELECT_TOTALS = """
    SELECT kind, currency, sum(balance) AS balance FROM ledger_accounts
    WHERE org_id = $1 AND is_test = $2
    GROUP BY kind, currency
    ORDER BY kind, currency
"""

# Beyond numeric(24, 6), which no honest sum of money comes near.
TOO_LARGE = {"amount": "takes an account beyond what it can hold"}

ERRORS = {
    "ledger_requests_pkey": lambda: conflict(
        "request_running", "another request with this idempotency_key is running"
    ),
}


async def insert_accounts(tx: Transaction, accounts: Sequence[NewAccount]) -> None:
    """Open empty accounts."""
    await tx.execute(
        INSERT_ACCOUNTS,
        [account.id for account in accounts],
        [account.kind.value for account in accounts],
        [account.currency for account in accounts],
        tx.now,
    )


def opening(accounts: Sequence[CustomerAccount], opened_at: datetime) -> Statement:
    """What opens those of these accounts that are not there yet."""
    return Statement(
        OPEN_MISSING,
        (
            Argument.uuids([account.id.bytes for account in accounts]),
            Argument.texts([account.kind.value for account in accounts]),
            Argument.texts([account.currency for account in accounts]),
            Argument.uuids([account.customer_id.bytes for account in accounts]),
            Argument.instant(opened_at),
        ),
    )


async def load_accounts(
    tx: Transaction, account_ids: Sequence[LedgerAccountId]
) -> dict[LedgerAccountId, Account]:
    """Accounts by id; unknown ones are absent."""
    rows = await tx.fetch(SELECT_ACCOUNTS, account_ids)
    return {
        LedgerAccountId(row["id"]): Account(
            id=LedgerAccountId(row["id"]),
            kind=AccountKind(row["kind"]),
            currency=row["currency"],
            balance=row["balance"],
            sequence=row["sequence"],
        )
        for row in rows
    }


def posting(
    transfer_ids: Sequence[TransferId],
    postings: Sequence[Posting],
    requests: Sequence[Request],
    made_at: datetime,
    *,
    is_read: bool,
) -> Statement:
    """What makes the transfers in their order, and remembers what was asked.

    It answers what was made of each, in any order, where it `is_read`.
    """
    accounts, posted = _posting_arguments(transfer_ids, postings)
    return Statement(
        POST if is_read else POST_UNREAD,
        (
            Argument.uuids([one.bytes for one in accounts]),
            Argument.rows(posted),
            Argument.rows(_request_rows(transfer_ids, postings, requests)),
            Argument.instant(made_at),
        ),
        _READS if is_read else (),
        _refusal,
    )


def _posting_arguments(
    transfer_ids: Sequence[TransferId], postings: Sequence[Posting]
) -> tuple[list[LedgerAccountId], list[Sequence[str]]]:
    """What `post_ledger_transfers` takes: the accounts, and a `ledger_posting` each, as texts."""
    account_ids = {posting.from_account_id for posting in postings}
    account_ids.update(posting.to_account_id for posting in postings)
    ordered = sorted(account_ids)
    places = {account_id: str(place) for place, account_id in enumerate(ordered, 1)}
    return ordered, [
        (
            str(transfer_id),
            str(posting.transaction_id),
            places[posting.from_account_id],
            places[posting.to_account_id],
            str(posting.amount),
            posting.currency,
            posting.entry_type.value,
            posting.description,
            posting.reference_type,
            posting.reference_id,
            posting.counterparty,
            posting.idempotency_key,
            json.encode(posting.metadata) if posting.metadata else "{}",
        )
        for transfer_id, posting in zip(transfer_ids, postings, strict=True)
    ]


def _request_rows(
    transfer_ids: Sequence[TransferId], postings: Sequence[Posting], requests: Sequence[Request]
) -> list[Sequence[str]]:
    """What `post_ledger_transfers` takes: a `ledger_request` each."""
    ids_by_transaction: dict[TransactionId, list[str]] = {}
    if requests:
        for transfer_id, posting in zip(transfer_ids, postings, strict=True):
            ids_by_transaction.setdefault(posting.transaction_id, []).append(str(transfer_id))
    return [
        (
            str(request.key.scope),
            request.key.idempotency_key,
            f"\\x{request.content_hash.hex()}",
            f"{{{','.join(_transfers_of(request, ids_by_transaction))}}}",
            json.encode(request.result),
        )
        for request in requests
    ]


def _transfers_of(
    request: Request, ids_by_transaction: Mapping[TransactionId, Sequence[str]]
) -> list[str]:
    return [
        transfer_id
        for transaction_id in request.transaction_ids
        for transfer_id in ids_by_transaction.get(transaction_id, ())
    ]


def _refusal(error: asyncpg.PostgresError) -> DomainError | None:
    if isinstance(error, asyncpg.NumericValueOutOfRangeError):
        return invalid(TOO_LARGE)
    return violation_in(ERRORS, error)


def transfers_posted(
    answer: Answer,
    transfer_ids: Sequence[TransferId],
    postings: Sequence[Posting],
    made_at: datetime,
) -> list[Transfer]:
    """The transfers that a statement of `posting` made, whose answer is read."""
    sides_of = {transfer_id: sides for transfer_id, *sides in answer.rows}
    return [
        transfer_made(transfer_id, posting, made_at, sides_of[transfer_id])
        for transfer_id, posting in zip(transfer_ids, postings, strict=True)
    ]


async def load_transfers(
    tx: Transaction, transfer_ids: Sequence[TransferId]
) -> dict[TransferId, Transfer]:
    """Transfers by id."""
    rows = await tx.fetch(SELECT_TRANSFERS, transfer_ids)
    return {TransferId(row["id"]): _transfer(row) for row in rows}


async def load_entries(
    tx: Transaction, account_id: LedgerAccountId, *, first: int, last: int
) -> list[Transfer]:
    """The transfers behind an account's entries of these sequences, both included, newest first."""
    return [_transfer(row) for row in await tx.fetch(SELECT_ENTRIES, account_id, first, last)]


async def load_requests(
    tx: Transaction, keys: Sequence[RequestKey]
) -> dict[RequestKey, asyncpg.Record]:
    """What was asked before under these keys."""
    rows = await tx.fetch(
        SELECT_REQUESTS, [key.scope for key in keys], [key.idempotency_key for key in keys]
    )
    return {RequestKey(row["scope"], row["idempotency_key"]): row for row in rows}


async def load_totals(tx: Transaction) -> list[Total]:
    """The sum of each kind's balances in each currency."""
    return [
        Total(AccountKind(row["kind"]), row["currency"], row["balance"])
        for row in await tx.fetch(SELECT_TOTALS)
    ]


def _transfer(row: asyncpg.Record) -> Transfer:
    posting = Posting(
        transaction_id=TransactionId(row["transaction_id"]),
        from_account_id=LedgerAccountId(row["from_account_id"]),
        to_account_id=LedgerAccountId(row["to_account_id"]),
        amount=row["amount"],
        currency=row["currency"],
        entry_type=EntryType(row["entry_type"]),
        description=row["description"],
        reference_type=row["reference_type"],
        reference_id=row["reference_id"],
        counterparty=row["counterparty"],
        idempotency_key=row["idempotency_key"],
        metadata=json.decode(row["metadata"]),
    )
    sides = tuple(row[name] for name in SIDES.replace(",", " ").split())
    return transfer_made(TransferId(row["id"]), posting, row["created_at"], sides)


def transfer_made(
    transfer_id: TransferId, posting: Posting, created_at: datetime, sides: Sequence[Any]
) -> Transfer:
    """A posting with what the database made of it: the columns `SIDES`."""
    from_before, from_after, from_sequence, to_before, to_after, to_sequence = sides
    return Transfer(
        id=transfer_id,
        posting=posting,
        debit=Side(
            account_id=posting.from_account_id,
            sequence=from_sequence,
            balance_before=from_before,
            balance_after=from_after,
        ),
        credit=Side(
            account_id=posting.to_account_id,
            sequence=to_sequence,
            balance_before=to_before,
            balance_after=to_after,
        ),
        created_at=created_at,
    )
