"""Finds where a presented portal token belongs, and refuses who tries many wrong ones."""

import time
from collections.abc import Callable

from cachetools import FIFOCache, TTLCache

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.rate import SECOND
from monigo.infra.db import Database
from monigo.portal_access import store
from monigo.portal_access.rules import looks_like_secret, secret_hash
from monigo.portal_access.service import unauthenticated
from monigo.portal_access.types import TokenReference

# About 30 MB; beyond it those found first are forgotten and looked up again.
REMEMBERED_MAX = 100_000
# Wrong tokens of one address in a minute. Right ones are never refused for their address: a
# carrier may put thousands of phones behind one.
WRONG_MAX = 60
WRONG_WITHIN = 60 * SECOND
# Addresses with wrong tokens that are remembered at a time.
ADDRESSES_MAX = 100_000


class PortalTokens:
    """Remembers where tokens belong, which never changes, and how many wrong ones came from where.

    Whether a token still counts is checked in each transaction under it.
    """

    def __init__(
        self, database: Database, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._database = database
        self._found: FIFOCache[bytes, TokenReference] = FIFOCache(REMEMBERED_MAX)
        self._wrong: TTLCache[str, int] = TTLCache(ADDRESSES_MAX, ttl=WRONG_WITHIN, timer=monotonic)

    async def find(self, secret: str, address: str) -> TokenReference:
        """Where a presented token belongs.

        Raises:
            DomainError: unauthenticated; rate_limited, where many wrong ones came from the address.
        """
        if not looks_like_secret(secret):
            raise unauthenticated()  # That is no guess.
        found = await self._look_up(secret)
        if found is None:
            raise self._refusal(address)
        return found

    async def _look_up(self, secret: str) -> TokenReference | None:
        token_hash = secret_hash(secret)
        found = self._found.get(token_hash)
        if found is None:
            async with self._database.lookups() as connection:
                found = await store.find(connection, token_hash)
            # Only what exists is remembered: guesses must not fill the memory.
            if found is not None:
                self._found[token_hash] = found
        return found

    def _refusal(self, address: str) -> DomainError:
        """Count a wrong token; the count of an address ends a minute after its last one."""
        wrong = self._wrong.get(address, 0) + 1
        self._wrong[address] = wrong
        if wrong <= WRONG_MAX:
            return unauthenticated()
        return DomainError(
            ErrorKind.RATE_LIMITED,
            "too_many_wrong_tokens",
            "too many wrong portal links from this address",
            retry_after_seconds=WRONG_WITHIN // SECOND,
        )
