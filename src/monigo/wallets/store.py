"""The SQL of wallets themselves; reservations and credits have stores of their own."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.core.errors import conflict
from monigo.core.ids import CustomerId, WalletId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import (
    Answer,
    Argument,
    Statement,
    Transaction,
    read_boolean,
    read_instant,
    read_numeric,
    read_uuid,
    violations_as,
)
from monigo.ledger import RequestKey
from monigo.tenancy import ApiKey
from monigo.wallets.types import Wallet, WalletAccounts, WalletStatus

COLUMNS = """
    id, customer_id, currency, status, money_account_id, reserved_account_id, provider_account_id,
    revenue_account_id, balance, reserved_balance, entries, top_up_threshold, excess, created_at,
    updated_at, is_watched
"""

# How a statement's answer is read that has these columns and two answers more.
_READS = (
    *(read_uuid, read_uuid, str, str),
    *(read_uuid, read_uuid, read_uuid, read_uuid),
    *(read_numeric, read_numeric, int, read_numeric, read_numeric),
    *(read_instant, read_instant, read_boolean, read_boolean, read_boolean),
)

INSERT = """
    INSERT INTO wallets (
        org_id, is_test, id, customer_id, currency, status, money_account_id, reserved_account_id,
        provider_account_id, revenue_account_id, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8, $9, $10, $10)
"""

SELECT = f"""
    SELECT {COLUMNS} FROM wallet_states WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_OF_CUSTOMER = f"""
    SELECT {COLUMNS} FROM wallet_states
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND currency = $4
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM wallet_states
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR customer_id = $3)
    ORDER BY created_at DESC, id DESC
    LIMIT $4 OFFSET $5
"""

COUNT = """
    SELECT count(*) FROM wallets
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR customer_id = $3)
"""

LOCK = f"""
    SELECT {COLUMNS}, is_any_key_used, are_api_keys_same
    FROM lock_wallets($1, $2, $3, $4, $5, $6, $7, $8)
"""

SELECT_IDS_OF_CUSTOMER = """
    SELECT id FROM wallets WHERE org_id = $1 AND is_test = $2 AND customer_id = $3
"""

LOCK_OF_OWNERS = f"SELECT {COLUMNS} FROM lock_wallets_of_owners($1, $2, $3, $4)"

# Wallets locked elsewhere are skipped: the transaction that has them may be about to change the
# agenda.
LOCK_FREE = """
    SELECT id FROM wallets
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
"""

UPDATE_STATUS = """
    UPDATE wallets SET status = $4, updated_at = $5, closed_at = $6
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

# Waits for movements under way, so that what is read after it has them.
HOLD = """
    SELECT id FROM wallets WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
    FOR SHARE
"""

SELECT_THESE = f"""
    SELECT {COLUMNS} FROM wallet_states
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
"""

WATCH = """
    INSERT INTO balance_watchers (org_id, is_test) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""

UNWATCH = "DELETE FROM balance_watchers WHERE org_id = $1 AND is_test = $2"

# Of locked wallets.
UPDATE_EXCESS = """
    UPDATE wallets SET excess = changed.excess
    FROM unnest($3::uuid[], $4::numeric[]) AS changed (id, excess)
    WHERE wallets.org_id = $1 AND wallets.is_test = $2 AND wallets.id = changed.id
"""

ERRORS = {
    "wallets_one_per_customer_and_currency": lambda: conflict(
        "wallet_exists", "the customer has a wallet in this currency"
    ),
    "wallets_closed_is_empty": lambda: conflict(
        "wallet_not_empty", "a wallet with money in it can't be closed"
    ),
}


async def insert(
    tx: Transaction,
    wallet_id: WalletId,
    customer_id: CustomerId,
    currency: str,
    accounts: WalletAccounts,
) -> None:
    """Store a new wallet over accounts that exist."""
    with violations_as(ERRORS):
        await tx.execute(
            INSERT,
            wallet_id,
            customer_id,
            currency,
            accounts.money,
            accounts.reserved,
            accounts.provider,
            accounts.revenue,
            tx.now,
        )


async def load(tx: Transaction, wallet_id: UUID) -> Wallet | None:
    """A wallet as it stands."""
    row = await tx.fetchrow(SELECT, wallet_id)
    return None if row is None else _wallet(row)


async def load_of_customer(
    tx: Transaction, customer_id: CustomerId, currency: str
) -> Wallet | None:
    """The customer's wallet in a currency."""
    row = await tx.fetchrow(SELECT_OF_CUSTOMER, customer_id, currency)
    return None if row is None else _wallet(row)


async def list_page(
    tx: Transaction, request: PageRequest, customer_id: CustomerId | None
) -> Page[Wallet]:
    """Wallets, newest first; of one customer where it is given."""
    pages = tx.pieces(SELECT_PAGE, customer_id, request.limit, request.offset)
    found = [_wallet(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT, customer_id), request.offset)


class Locked(Struct, frozen=True):
    """Locked wallets, and what else was found with them in one statement.

    Whether any of the keys was used before in its wallet, and whether the API keys are as they
    were known. Without a wallet neither is known.
    """

    wallets: Sequence[Wallet]
    is_any_key_used: bool
    are_api_keys_same: bool


async def lock(tx: Transaction, wallet_ids: Collection[UUID]) -> dict[UUID, Wallet]:
    """Wallets by id, locked in the order of their ids until the transaction ends."""
    (answer,) = await tx.send(locking(wallet_ids))
    return {wallet.id: wallet for wallet in locked(answer).wallets}


def locking(
    wallet_ids: Collection[UUID],
    keys: Sequence[RequestKey] = (),
    api_keys: Collection[ApiKey] = (),
) -> Statement:
    """What locks wallets in the order of their ids until the transaction ends.

    It answers whether any of these keys of wallets was used, or an API key has changed, too.
    """
    return Statement(
        LOCK,
        (
            Argument.uuids([one.bytes for one in wallet_ids]),
            Argument.uuids([key.scope.bytes for key in keys]),
            Argument.texts([key.idempotency_key for key in keys]),
            Argument.uuids([key.id.bytes for key in api_keys]),
            Argument.instants([key.expires_at for key in api_keys]),
            Argument.texts([" ".join(key.scopes) for key in api_keys]),
        ),
        _READS,
    )


def locked(answer: Answer) -> Locked:
    """What a statement of `locking` answered."""
    is_any_key_used = are_api_keys_same = False
    wallets: list[Wallet] = []
    for *row, is_any_key_used, are_api_keys_same in answer.rows:  # noqa: B007 - as the last says
        wallets.append(_wallet(row))
    return Locked(wallets, is_any_key_used=is_any_key_used, are_api_keys_same=are_api_keys_same)


async def ids_of_customer(tx: Transaction, customer_id: CustomerId) -> Sequence[UUID]:
    """All wallets of a customer."""
    return [row["id"] for row in await tx.fetch(SELECT_IDS_OF_CUSTOMER, customer_id)]


async def lock_of_owners(
    tx: Transaction, owners: Collection[tuple[CustomerId, str]]
) -> dict[tuple[CustomerId, str], Wallet]:
    """As `lock`, the wallets of customers in currencies; those without one are absent."""
    rows = await tx.fetch(
        LOCK_OF_OWNERS,
        [customer_id for customer_id, _ in owners],
        [currency for _, currency in owners],
    )
    return {(wallet.customer_id, wallet.currency): wallet for wallet in map(_wallet, rows)}


async def lock_free(tx: Transaction, wallet_ids: Collection[UUID]) -> dict[UUID, Wallet]:
    """As `lock`, without those that somebody else has."""
    free = [row["id"] for row in await tx.fetch(LOCK_FREE, list(wallet_ids))]
    return await lock(tx, free) if free else {}


async def hold(tx: Transaction, wallet_ids: Sequence[UUID]) -> list[Wallet]:
    """Wallets by id, whose balances stay as they are until the transaction ends."""
    await tx.execute(HOLD, wallet_ids)
    return [_wallet(row) for row in await tx.fetch(SELECT_THESE, wallet_ids)]


async def set_watched(tx: Transaction, *, wanted: bool) -> None:
    """Have it noted whose balances move, or not any more."""
    await tx.execute(WATCH if wanted else UNWATCH)


async def update_excess(tx: Transaction, changed: Collection[Wallet]) -> None:
    """Write what part of locked wallets' money came in excess."""
    if changed:
        await tx.execute(
            UPDATE_EXCESS, [one.id for one in changed], [one.excess for one in changed]
        )


async def update_status(
    tx: Transaction, wallet_ids: Collection[UUID], status: WalletStatus
) -> None:
    """Set the status, and the time of closing with it."""
    closed_at: datetime | None = tx.now if status is WalletStatus.CLOSED else None
    with violations_as(ERRORS):
        await tx.execute(UPDATE_STATUS, list(wallet_ids), status.value, tx.now, closed_at)


def _wallet(row: Iterable[Any]) -> Wallet:
    """A wallet of its `COLUMNS`."""
    (
        wallet_id,
        customer_id,
        currency,
        status,
        money,
        reserved,
        provider,
        revenue,
        balance,
        reserved_balance,
        entries,
        top_up_threshold,
        excess,
        created_at,
        updated_at,
        is_watched,
    ) = row
    return Wallet(
        id=wallet_id,
        customer_id=customer_id,
        currency=currency,
        status=WalletStatus(status),
        balance=balance,
        reserved_balance=reserved_balance,
        accounts=WalletAccounts(money, reserved, provider, revenue),
        entries=entries,
        top_up_threshold=top_up_threshold,
        excess=excess,
        created_at=created_at,
        updated_at=updated_at,
        is_watched=is_watched,
    )
