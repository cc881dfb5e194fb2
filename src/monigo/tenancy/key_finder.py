"""Finds where a presented key belongs and whether it counts, seldom asking the database."""

import time
from collections.abc import Callable

from cachetools import FIFOCache, TTLCache

from monigo.core.access import Permission
from monigo.core.ids import ApiKeyId
from monigo.core.rate import SECOND
from monigo.infra.db import Database
from monigo.tenancy import store
from monigo.tenancy.rules import SECRET_LENGTH, secret_hash
from monigo.tenancy.service import authorize
from monigo.tenancy.types import KeyReference

# About 30 MB; beyond it those found first are forgotten and looked up again.
REMEMBERED_MAX = 100_000


class KeyFinder:
    """Remembers which tenant and key a secret's hash belongs to, which never changes.

    Whether the key still counts is checked in each transaction under it. Where a request may cost
    much before its transaction begins, `check` asks beforehand.
    """

    def __init__(
        self, database: Database, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._database = database
        self._found: FIFOCache[bytes, KeyReference] = FIFOCache(REMEMBERED_MAX)
        # Keys that were seen to hold a permission within the last second.
        self._checked: TTLCache[tuple[ApiKeyId, Permission], bool] = TTLCache(
            REMEMBERED_MAX, ttl=SECOND, timer=monotonic
        )

    async def find(self, secret: str) -> KeyReference | None:
        """Where a presented secret belongs, or None."""
        if len(secret) != SECRET_LENGTH:
            return None
        key_hash = secret_hash(secret)
        found = self._found.get(key_hash)
        if found is None:
            async with self._database.lookups() as connection:
                found = await store.find_key(connection, key_hash)
            # Only what exists is remembered: guesses must not fill the memory.
            if found is not None:
                self._found[key_hash] = found
        return found

    async def check(self, caller: KeyReference, needed: Permission) -> None:
        """Refuse a key that may not act; a good answer holds for a second.

        Raises:
            DomainError: unauthenticated (revoked, expired) or forbidden (scope missing).
        """
        if (caller.api_key_id, needed) in self._checked:
            return
        async with self._database.transaction(caller.tenant) as tx:
            await authorize(tx, caller.api_key_id, needed)
        self._checked[caller.api_key_id, needed] = True
