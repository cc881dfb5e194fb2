"""The SQL of saved methods."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from monigo.core.ids import ConnectionId, CustomerId, PaymentMethodId
from monigo.infra.db import RowLock, Transaction
from monigo.payments.methods.types import MethodType, NewMethod, PaymentMethod

# A customer has few; more than this are not listed.
METHODS_MAX = 100

_COLUMNS = """
    id, customer_id, connection_id, provider, type, email, brand, last4, exp_month, exp_year, bank,
    is_default, created_at, removed_at
"""

SELECT_BY_ID = f"""
    SELECT {_COLUMNS} FROM payment_methods WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# In the order of all locks of methods.
SELECT_OF_CUSTOMER = f"""
    SELECT {_COLUMNS} FROM payment_methods
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND removed_at IS NULL
    ORDER BY id
    LIMIT $4
"""

SELECT_DEFAULTS = f"""
    SELECT {_COLUMNS} FROM payment_methods
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND is_default
"""

SELECT_SAME = f"""
    SELECT {_COLUMNS} FROM payment_methods
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND connection_id = $4
        AND fingerprint_hash = ANY ($5::bytea[]) AND removed_at IS NULL
    ORDER BY id
    LIMIT 1
    FOR NO KEY UPDATE
"""

# Where another default is being made at the same time, this one is none.
INSERT = """
    INSERT INTO payment_methods (
        org_id, is_test, id, customer_id, connection_id, provider, type, token, fingerprint_hash,
        email, brand, last4, exp_month, exp_year, bank, is_default, created_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT DO NOTHING
    RETURNING id
"""

RENEW = """
    UPDATE payment_methods
    SET token = $4, email = $5, brand = $6, last4 = $7, exp_month = $8, exp_year = $9, bank = $10
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

UNSET_DEFAULT = """
    UPDATE payment_methods SET is_default = false
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND is_default
"""

SET_DEFAULT = """
    UPDATE payment_methods SET is_default = true
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND removed_at IS NULL
"""

REMOVE = """
    UPDATE payment_methods SET is_default = false, removed_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND removed_at IS NULL
"""

SELECT_TOKENS = """
    SELECT id, token FROM payment_methods
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND token IS NOT NULL
"""

FORGET = """
    UPDATE payment_methods SET token = NULL
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND removed_at IS NOT NULL
"""

HAS_ANY = """
    SELECT EXISTS (
        SELECT 1 FROM payment_methods
        WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND removed_at IS NULL
    )
"""


async def load(
    tx: Transaction, method_id: UUID, lock: RowLock = RowLock.NONE
) -> PaymentMethod | None:
    """A method, removed or not; None where there is none of this id."""
    row = await tx.fetchrow(f"{SELECT_BY_ID} {lock.value}", method_id)
    return None if row is None else _method(row)


async def list_of_customer(
    tx: Transaction, customer_id: UUID, lock: RowLock = RowLock.NONE
) -> list[PaymentMethod]:
    """A customer's methods that were not removed."""
    rows = await tx.fetch(f"{SELECT_OF_CUSTOMER} {lock.value}", customer_id, METHODS_MAX)
    return [_method(row) for row in rows]


async def defaults(
    tx: Transaction, customer_ids: Collection[UUID]
) -> dict[CustomerId, PaymentMethod]:
    """The methods that customers are charged by; absent where there is none."""
    rows = await tx.fetch(SELECT_DEFAULTS, list(customer_ids))
    return {CustomerId(row["customer_id"]): _method(row) for row in rows}


async def lock_same(
    tx: Transaction, customer_id: UUID, connection_id: UUID, hashes: Sequence[bytes]
) -> PaymentMethod | None:
    """A customer's method at a connection that has one of these fingerprints, locked."""
    row = await tx.fetchrow(SELECT_SAME, customer_id, connection_id, list(hashes))
    return None if row is None else _method(row)


async def insert(tx: Transaction, new: NewMethod) -> bool:
    """Store a method; not where the customer has it, or got another default meanwhile."""
    made = new.method
    stored = await tx.fetchval(
        INSERT,
        made.id,
        made.customer_id,
        made.connection_id,
        made.provider,
        made.type,
        new.token,
        new.fingerprint_hash,
        made.email,
        made.brand,
        made.last4,
        made.exp_month,
        made.exp_year,
        made.bank,
        made.is_default,
        made.created_at,
    )
    return stored is not None


async def renew(tx: Transaction, method: PaymentMethod, token: bytes) -> None:
    """Store what a provider says of a locked method anew."""
    await tx.execute(
        RENEW,
        method.id,
        token,
        method.email,
        method.brand,
        method.last4,
        method.exp_month,
        method.exp_year,
        method.bank,
    )


async def set_default(tx: Transaction, customer_id: UUID, method_id: UUID) -> None:
    """Make one of a customer's locked methods the default."""
    await tx.execute(UNSET_DEFAULT, customer_id)
    await tx.execute(SET_DEFAULT, method_id)


async def remove(tx: Transaction, method_id: UUID) -> None:
    """Note that a locked method is charged no more."""
    await tx.execute(REMOVE, method_id, tx.now)


async def tokens(tx: Transaction, method_ids: Collection[UUID]) -> dict[PaymentMethodId, bytes]:
    """The encrypted tokens of methods; absent where it was forgotten."""
    rows = await tx.fetch(SELECT_TOKENS, list(method_ids))
    return {PaymentMethodId(row["id"]): row["token"] for row in rows}


async def forget(tx: Transaction, method_id: UUID) -> None:
    """Delete the token of a removed method."""
    await tx.execute(FORGET, method_id)


async def has_any(tx: Transaction, connection_id: UUID) -> bool:
    """Whether a method hangs on a connection."""
    return await tx.fetchval(HAS_ANY, connection_id)


def _method(row: asyncpg.Record) -> PaymentMethod:
    return PaymentMethod(
        id=PaymentMethodId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        connection_id=ConnectionId(row["connection_id"]),
        provider=row["provider"],
        type=MethodType(row["type"]),
        email=row["email"],
        brand=row["brand"],
        last4=row["last4"],
        exp_month=row["exp_month"],
        exp_year=row["exp_year"],
        bank=row["bank"],
        is_default=row["is_default"],
        created_at=row["created_at"],
        removed_at=row["removed_at"],
    )
