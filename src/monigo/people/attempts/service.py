"""Counts attempts to sign in, and refuses too many."""

import math
from uuid import UUID

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.people import expiry
from monigo.people.attempts import store
from monigo.people.attempts.rules import blocked_until
from monigo.people.store import lock_name
from monigo.people.types import Origin

EMAIL_HASH, ADDRESS_HASH = "e-mail of a log-in", "address of a log-in"


async def begin(tx: Transaction, vault: Vault, email: str, origin: Origin) -> UUID:
    """Record an attempt before it is checked, so that concurrent ones are all counted; its id.

    It counts as failed until `succeed`.

    Raises:
        DomainError: rate_limited.
    """
    # All take them in this order, so that none waits for the other; no e-mail is like an address.
    await lock_name(tx, f"e-mail {email}")
    await lock_name(tx, f"address {origin.address}")
    email_hashes = vault.keyed_hashes(EMAIL_HASH, email)
    address_hashes = vault.keyed_hashes(ADDRESS_HASH, origin.address)
    until = blocked_until(
        await store.failures(tx, email_hashes=email_hashes, address_hashes=address_hashes)
    )
    if until is not None and until > tx.real_now:
        raise DomainError(
            ErrorKind.RATE_LIMITED,
            "too_many_attempts",
            "too many attempts to sign in, please wait",
            retry_after_seconds=math.ceil((until - tx.real_now).total_seconds()),
        )
    await expiry.note(tx)
    attempt_id = new_id()
    await store.insert_attempt(
        tx, attempt_id, email_hash=email_hashes[0], address_hash=address_hashes[0]
    )
    return attempt_id


def address_hash(vault: Vault, origin: Origin) -> bytes:
    """The keyed hash of a network address."""
    return vault.keyed_hash(ADDRESS_HASH, origin.address)


def address_hashes(vault: Vault, origin: Origin) -> list[bytes]:
    """All by which an address is known again, also under older keys of the installation."""
    return vault.keyed_hashes(ADDRESS_HASH, origin.address)


async def succeed(tx: Transaction, attempt_id: UUID) -> None:
    """Record that an attempt succeeded."""
    await store.succeed(tx, attempt_id)
