"""All SQL of virtual accounts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import ConnectionId, CustomerId, VirtualAccountId, WalletId
from monigo.infra.db import Transaction
from monigo.payments.accounts.types import AccountState, NewAccount, VirtualAccount
from monigo.providers.port import OpenedAccount

COLUMNS = """
    id, customer_id, wallet_id, connection_id, provider, currency, reference, state,
    account_number, account_name, bank_name, bank_code, provider_id, provider_customer,
    failure_field, failure_reason, asked, created_at, updated_at, submitted_at, opened_at,
    last_used_at, closed_at
"""

# A wallet's account at the provider that is there already makes this insert nothing.
INSERT = f"""
    INSERT INTO virtual_accounts (
        org_id, is_test, id, customer_id, wallet_id, connection_id, provider, currency, reference,
        state, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'created', $10, $10)
    ON CONFLICT DO NOTHING
    RETURNING {COLUMNS}
"""

SELECT = f"""
    SELECT {COLUMNS} FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

LOCK = f"{SELECT} FOR NO KEY UPDATE"

LOCK_LIVE = f"""
    SELECT {COLUMNS} FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND provider = $4
        AND state IN ('created', 'submitted', 'unknown', 'active', 'closing')
    FOR NO KEY UPDATE
"""

COUNT_BEFORE = """
    SELECT count(*) FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND provider = $4
"""

# Those that never came to be are no accounts.
SELECT_OF_WALLET = f"""
    SELECT {COLUMNS} FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND state <> 'failed'
    ORDER BY created_at DESC, id DESC
"""

SELECT_OPEN_OF_WALLETS = """
    SELECT id FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = ANY ($3::uuid[]) AND state = 'active'
    ORDER BY id
"""

# Of accounts that had one number, the one that has it now counts, or that had it last.
SELECT_BY_REFERENCE = f"""
    SELECT {COLUMNS} FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND reference = $4
"""

SELECT_BY_NUMBER = f"""
    SELECT {COLUMNS} FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND account_number = $4
        AND account_number <> ''
    ORDER BY closed_at IS NOT NULL, created_at DESC
    LIMIT 1
"""

SELECT_BY_OWNER = f"""
    SELECT {COLUMNS} FROM virtual_accounts
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND provider_customer = $4
        AND provider_customer <> ''
    LIMIT 2
"""

SELECT_OF_CONNECTION = """
    SELECT EXISTS (
        SELECT 1 FROM virtual_accounts
        WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
            AND state IN ('created', 'submitted', 'unknown', 'active', 'closing')
    )
"""

SUBMIT = f"""
    UPDATE virtual_accounts SET state = 'submitted', submitted_at = $4, updated_at = $5
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND state IN ('created', 'submitted', 'unknown')
    RETURNING {COLUMNS}
"""

OPEN = f"""
    UPDATE virtual_accounts
    SET state = 'active', account_number = $4, account_name = $5, bank_name = $6, bank_code = $7,
        provider_id = $8, provider_customer = $9, failure_field = '', failure_reason = '',
        submitted_at = coalesce(submitted_at, $10), opened_at = $10, updated_at = $11
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND opened_at IS NULL
    RETURNING {COLUMNS}
"""

FAIL = f"""
    UPDATE virtual_accounts
    SET state = 'failed', failure_field = $4, failure_reason = $5, updated_at = $6
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND opened_at IS NULL
    RETURNING {COLUMNS}
"""

SET_UNSETTLED = f"""
    UPDATE virtual_accounts SET state = $4, asked = asked + 1, updated_at = $5
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND state IN ('submitted', 'unknown')
    RETURNING {COLUMNS}
"""

COUNT_ASKED = f"""
    UPDATE virtual_accounts SET asked = asked + 1
    WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING {COLUMNS}
"""

BEGIN_CLOSING = f"""
    UPDATE virtual_accounts SET state = 'closing', asked = 0, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND state = 'active'
    RETURNING {COLUMNS}
"""

CLOSE = f"""
    UPDATE virtual_accounts SET state = 'closed', closed_at = $4, updated_at = $5
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND state = 'closing'
    RETURNING {COLUMNS}
"""

USE = """
    UPDATE virtual_accounts SET last_used_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""


async def insert(
    tx: Transaction, account_id: VirtualAccountId, wanted: NewAccount, reference: str
) -> VirtualAccount | None:
    """Store a new, intended account; None where the wallet has one at the provider."""
    row = await tx.fetchrow(
        INSERT,
        account_id,
        wanted.customer_id,
        wanted.wallet_id,
        wanted.connection_id,
        wanted.provider,
        wanted.currency,
        reference,
        tx.now,
    )
    return _account_or_none(row)


async def load(
    tx: Transaction, account_id: UUID, *, is_locked: bool = False
) -> VirtualAccount | None:
    """An account, locked until the transaction ends if wanted."""
    return _account_or_none(await tx.fetchrow(LOCK if is_locked else SELECT, account_id))


async def lock_live(tx: Transaction, wallet_id: WalletId, provider: str) -> VirtualAccount | None:
    """The account that a wallet has at a provider, or is about to have, locked."""
    return _account_or_none(await tx.fetchrow(LOCK_LIVE, wallet_id, provider))


async def count_before(tx: Transaction, wallet_id: WalletId, provider: str) -> int:
    """How many accounts a wallet had at a provider, or was to have."""
    return await tx.fetchval(COUNT_BEFORE, wallet_id, provider)


async def list_of_wallet(tx: Transaction, wallet_id: UUID) -> list[VirtualAccount]:
    """A wallet's accounts, newest first, without those that never came to be."""
    return [_account(row) for row in await tx.fetch(SELECT_OF_WALLET, wallet_id)]


async def list_open(tx: Transaction, wallet_ids: Sequence[UUID]) -> list[VirtualAccountId]:
    """The open accounts of wallets."""
    rows = await tx.fetch(SELECT_OPEN_OF_WALLETS, list(wallet_ids))
    return [VirtualAccountId(row["id"]) for row in rows]


async def find_by_reference(
    tx: Transaction, connection_id: ConnectionId, reference: str
) -> VirtualAccount | None:
    """The account of a connection that was asked for under a reference of ours."""
    return _account_or_none(await tx.fetchrow(SELECT_BY_REFERENCE, connection_id, reference))


async def find_by_number(
    tx: Transaction, connection_id: ConnectionId, number: str
) -> VirtualAccount | None:
    """The account of a connection that has a number, or had it last."""
    return _account_or_none(await tx.fetchrow(SELECT_BY_NUMBER, connection_id, number))


async def find_by_owner(
    tx: Transaction, connection_id: ConnectionId, owner: str
) -> VirtualAccount | None:
    """The only account of whom the provider calls so; None for an owner of several."""
    rows = await tx.fetch(SELECT_BY_OWNER, connection_id, owner)
    return _account(rows[0]) if len(rows) == 1 else None


async def is_connection_used(tx: Transaction, connection_id: ConnectionId) -> bool:
    """Whether a connection has accounts that are not closed."""
    return await tx.fetchval(SELECT_OF_CONNECTION, connection_id)


async def submit(tx: Transaction, account_id: VirtualAccountId) -> VirtualAccount | None:
    """Note that the provider is asked for a locked account now."""
    return _account_or_none(await tx.fetchrow(SUBMIT, account_id, tx.real_now, tx.now))


async def open_with(
    tx: Transaction, account_id: VirtualAccountId, opened: OpenedAccount
) -> VirtualAccount | None:
    """Give a locked account its number; None where it has one."""
    row = await tx.fetchrow(
        OPEN,
        account_id,
        opened.account_number,
        opened.account_name,
        opened.bank_name,
        opened.bank_code,
        opened.provider_id,
        opened.customer,
        tx.real_now,
        tx.now,
    )
    return _account_or_none(row)


async def fail(
    tx: Transaction, account_id: VirtualAccountId, field: str, reason: str
) -> VirtualAccount | None:
    """Note that the provider opened none, and why; None where it had opened it."""
    return _account_or_none(await tx.fetchrow(FAIL, account_id, field, reason, tx.now))


async def set_unsettled(
    tx: Transaction, account_id: VirtualAccountId, state: AccountState
) -> VirtualAccount | None:
    """Note that an account that was asked for is not settled; None where it is."""
    return _account_or_none(await tx.fetchrow(SET_UNSETTLED, account_id, state.value, tx.now))


async def count_asked(tx: Transaction, account_id: VirtualAccountId) -> VirtualAccount | None:
    """Count that the provider was asked about a locked account."""
    return _account_or_none(await tx.fetchrow(COUNT_ASKED, account_id))


async def begin_closing(tx: Transaction, account_id: VirtualAccountId) -> VirtualAccount | None:
    """Have a locked account closed; None where it is not open."""
    return _account_or_none(await tx.fetchrow(BEGIN_CLOSING, account_id, tx.now))


async def close(tx: Transaction, account_id: VirtualAccountId) -> VirtualAccount | None:
    """Note that the provider has closed a locked account."""
    return _account_or_none(await tx.fetchrow(CLOSE, account_id, tx.real_now, tx.now))


async def use(tx: Transaction, account_id: VirtualAccountId, used_at: datetime) -> None:
    """Note when money came into an account last."""
    await tx.execute(USE, account_id, used_at)


def _account_or_none(row: asyncpg.Record | None) -> VirtualAccount | None:
    return None if row is None else _account(row)


def _account(row: asyncpg.Record) -> VirtualAccount:
    return VirtualAccount(
        id=VirtualAccountId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        wallet_id=WalletId(row["wallet_id"]),
        connection_id=ConnectionId(row["connection_id"]),
        provider=row["provider"],
        currency=row["currency"],
        reference=row["reference"],
        state=AccountState(row["state"]),
        account_number=row["account_number"],
        account_name=row["account_name"],
        bank_name=row["bank_name"],
        bank_code=row["bank_code"],
        provider_id=row["provider_id"],
        provider_customer=row["provider_customer"],
        failure_field=row["failure_field"],
        failure_reason=row["failure_reason"],
        asked=row["asked"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        submitted_at=row["submitted_at"],
        opened_at=row["opened_at"],
        last_used_at=row["last_used_at"],
        closed_at=row["closed_at"],
    )
