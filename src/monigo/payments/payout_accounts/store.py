"""The SQL of payout accounts."""

from collections.abc import Collection
from uuid import UUID

import asyncpg

from monigo.core.errors import conflict
from monigo.core.ids import CustomerId, PayoutAccountId
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction, violations_as
from monigo.payments.payout_accounts.types import PayoutAccount, Resolution, ResolutionState
from monigo.providers.port import PayoutMethod

_COLUMNS = """
    id, customer_id, account_name, payout_method, bank_name, bank_code, number_ciphertext, last4,
    currency, is_default, metadata, resolution, resolved_name, resolution_reason, resolution_tries,
    resolved_at, created_at, updated_at, changed_at
"""

# In the order of all locks of payout accounts.
SELECT_BY_ID = f"""
    SELECT {_COLUMNS} FROM payout_accounts
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND deleted_at IS NULL
    ORDER BY id
"""

SELECT_OF_CUSTOMER = f"""
    SELECT {_COLUMNS} FROM payout_accounts
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND deleted_at IS NULL
    ORDER BY id
    LIMIT $4
"""

SELECT_DEFAULTS = f"""
    SELECT {_COLUMNS} FROM payout_accounts
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND currency = $4
        AND is_default
"""

INSERT = """
    INSERT INTO payout_accounts (
        org_id, is_test, id, customer_id, account_name, payout_method, bank_name, bank_code,
        number_ciphertext, last4, currency, is_default, metadata, resolution, resolved_name,
        resolution_reason, resolution_tries, created_at, updated_at, changed_at
    )
    VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'unresolved', '', '', 0, $14, $14,
        $14
    )
    RETURNING id
"""

UPDATE = """
    UPDATE payout_accounts
    SET account_name = $4, payout_method = $5, bank_name = $6, bank_code = $7,
        number_ciphertext = $8, last4 = $9, currency = $10, is_default = $11, metadata = $12,
        resolution = $13, resolved_name = $14, resolution_reason = $15, resolution_tries = $16,
        resolved_at = $17, updated_at = $18, changed_at = $19
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

UNSET_DEFAULT = """
    UPDATE payout_accounts SET is_default = false
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND currency = $4 AND is_default
"""

DELETE = """
    UPDATE payout_accounts SET is_default = false, deleted_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

_ERRORS = {
    "payout_accounts_one_default_per_currency": lambda: conflict(
        "payout_account_busy", "another account is made the default at this moment"
    )
}


async def load(
    tx: Transaction, account_ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> dict[PayoutAccountId, PayoutAccount]:
    """These accounts, but deleted ones."""
    rows = await tx.fetch(f"{SELECT_BY_ID} {lock.value}", list(account_ids))
    return {PayoutAccountId(row["id"]): _account(row) for row in rows}


async def list_of_customer(
    tx: Transaction, customer_id: UUID, limit: int, lock: RowLock = RowLock.NONE
) -> list[PayoutAccount]:
    """A customer's accounts, oldest first, which is the order of their locks."""
    rows = await tx.fetch(f"{SELECT_OF_CUSTOMER} {lock.value}", customer_id, limit)
    return [_account(row) for row in rows]


async def defaults(
    tx: Transaction, customer_ids: Collection[UUID], currency: str
) -> dict[CustomerId, PayoutAccount]:
    """The accounts that customers are paid to in a currency; absent where there is none."""
    rows = await tx.fetch(SELECT_DEFAULTS, list(customer_ids), currency)
    return {CustomerId(row["customer_id"]): _account(row) for row in rows}


async def insert(tx: Transaction, account: PayoutAccount) -> None:
    """Store a new account.

    Raises:
        DomainError: conflict, where another default is being made.
    """
    with violations_as(_ERRORS):
        await tx.fetchval(
            INSERT,
            account.id,
            account.customer_id,
            *_details(account),
            account.created_at,
        )


async def update(tx: Transaction, account: PayoutAccount) -> None:
    """Store a locked account as it is now.

    Raises:
        DomainError: conflict, where another default is being made.
    """
    resolution = account.resolution
    with violations_as(_ERRORS):
        await tx.execute(
            UPDATE,
            account.id,
            *_details(account),
            resolution.state,
            resolution.name,
            resolution.reason,
            resolution.tries,
            resolution.at,
            account.updated_at,
            account.changed_at,
        )


async def unset_default(tx: Transaction, customer_id: UUID, currency: str) -> None:
    """Have a customer no default account in a currency."""
    await tx.execute(UNSET_DEFAULT, customer_id, currency)


async def delete(tx: Transaction, account_id: UUID) -> None:
    """Note that a locked account is paid to no more."""
    await tx.execute(DELETE, account_id, tx.now)


def _details(account: PayoutAccount) -> tuple[object, ...]:
    """What people say of an account, in the order of the columns of both statements."""
    return (
        account.account_name,
        account.method,
        account.bank_name,
        account.bank_code,
        account.number_ciphertext,
        account.last4,
        account.currency,
        account.is_default,
        json.encode(account.metadata),
    )


def _account(row: asyncpg.Record) -> PayoutAccount:
    return PayoutAccount(
        id=PayoutAccountId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        account_name=row["account_name"],
        method=PayoutMethod(row["payout_method"]),
        bank_name=row["bank_name"],
        bank_code=row["bank_code"],
        number_ciphertext=row["number_ciphertext"],
        last4=row["last4"],
        currency=row["currency"],
        is_default=row["is_default"],
        metadata=json.decode(row["metadata"]),
        resolution=Resolution(
            state=ResolutionState(row["resolution"]),
            name=row["resolved_name"],
            reason=row["resolution_reason"],
            tries=row["resolution_tries"],
            at=row["resolved_at"],
        ),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        changed_at=row["changed_at"],
    )
