"""Issues codes, and finds out whether one is right."""

import hmac
import secrets
from uuid import UUID

from monigo.core.ids import UserId
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.people import expiry
from monigo.people.codes import store
from monigo.people.codes.rules import (
    DAY,
    DIGITS,
    HOUR,
    LIVES,
    PER_ADDRESS_AND_HOUR_MAX,
    PER_HOUR_MAX,
    TRIES_MAX,
    Purpose,
    is_link_only,
)
from monigo.people.codes.types import Code, Issued, Recent
from monigo.people.store import lock_name

HASH_PURPOSE = "mailed code"
LINK_BYTES = 32


async def issue(
    tx: Transaction,
    vault: Vault,
    email: str,
    purpose: Purpose,
    *,
    address_hash: bytes,
    registration_id: UUID | None = None,
    user_id: UserId | None = None,
) -> Issued | None:
    """A new code, which ends the one before; None where too many were asked for.

    For an e-mail that nobody has, it is a code of nobody, which is as much work.
    """
    await lock_name(tx, f"e-mail {email}")
    lately = await _recent(tx, email, address_hash)
    if _is_enough(lately):
        return None
    await expiry.note(tx)
    await store.end(tx, email, purpose)
    is_link = is_link_only(lately.failed_attempts_today)
    secret = secrets.token_hex(LINK_BYTES) if is_link else _digits()
    code = _code(
        tx,
        vault,
        secret,
        email=email,
        purpose=purpose,
        is_link=is_link,
        address_hash=address_hash,
        registration_id=registration_id,
        user_id=user_id,
    )
    await store.insert(tx, code)
    return Issued(secret, is_link)


async def are_too_many(tx: Transaction, email: str, address_hash: bytes) -> bool:
    """Whether no other code would be issued now."""
    return _is_enough(await _recent(tx, email, address_hash))


async def exchange(tx: Transaction, vault: Vault, code: Code, purpose: Purpose) -> str:
    """A token for what comes after a code that was right, whose owner it has."""
    secret = secrets.token_hex(LINK_BYTES)
    await store.end(tx, code.email, purpose)
    token = _code(
        tx,
        vault,
        secret,
        email=code.email,
        purpose=purpose,
        is_link=True,
        address_hash=code.address_hash,
        registration_id=code.registration_id,
        user_id=code.user_id,
    )
    await store.insert(tx, token)
    return secret


async def use(
    tx: Transaction, vault: Vault, email: str, purpose: Purpose, presented: str
) -> Code | None:
    """The code that somebody presents, which counts no more; None where it is wrong.

    A wrong try is counted, so the transaction must commit.
    """
    await lock_name(tx, f"e-mail {email}")
    code = await store.lock_open(tx, email, purpose)
    # Asked in any case, so that an e-mail without a code is answered as one with another.
    lately = await _recent(tx, email, b"")
    if code is None or code.expires_at <= tx.real_now:
        return None
    if not code.is_link and is_link_only(lately.failed_attempts_today):
        return None
    if not vault.matches(HASH_PURPOSE, code.code_hash, presented, context=purpose.value.encode()):
        if code.is_link:
            return None  # Nobody guesses it, and nobody ends it for its owner by trying.
        await store.count_wrong(tx, code.id, is_last=code.failed_attempts + 1 >= TRIES_MAX)
        return None
    await store.end(tx, email, purpose)
    return code


async def of_token(tx: Transaction, vault: Vault, purpose: Purpose, token: str) -> Code | None:
    """The code that a token stands for, locked; None where it is wrong or has expired."""
    hashes = vault.keyed_hashes(HASH_PURPOSE, token, context=purpose.value.encode())
    code = await store.lock_open_by_hash(tx, hashes, purpose)
    if code is None or not code.is_link or code.expires_at <= tx.real_now:
        return None
    known = any(hmac.compare_digest(code.code_hash, hash_) for hash_ in hashes)
    return code if known else None


async def end_all(tx: Transaction, email: str) -> None:
    """End every code of an e-mail."""
    await store.end(tx, email, *Purpose)


def _is_enough(lately: Recent) -> bool:
    return lately.of_email >= PER_HOUR_MAX or lately.of_address >= PER_ADDRESS_AND_HOUR_MAX


async def _recent(tx: Transaction, email: str, address_hash: bytes) -> Recent:
    return await store.recent(
        tx,
        email=email,
        address_hash=address_hash,
        hour_ago=tx.real_now - HOUR,
        day_ago=tx.real_now - DAY,
    )


def _code(
    tx: Transaction,
    vault: Vault,
    secret: str,
    *,
    email: str,
    purpose: Purpose,
    is_link: bool,
    address_hash: bytes,
    registration_id: UUID | None,
    user_id: UserId | None,
) -> Code:
    return Code(
        id=new_id(),
        email=email,
        purpose=purpose,
        is_link=is_link,
        code_hash=vault.keyed_hash(HASH_PURPOSE, secret, context=purpose.value.encode()),
        registration_id=registration_id,
        user_id=user_id,
        address_hash=address_hash,
        failed_attempts=0,
        created_at=tx.real_now,
        expires_at=tx.real_now + LIVES[purpose],
    )


def _digits() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
