"""What each organisation may ask of this process, known to within a second.

The settings are read in transactions that run anyway, at most once a second for an organisation;
until the first of them nothing is limited. Each process counts what it admitted on its own.
"""

import time
from collections.abc import Callable

from cachetools import FIFOCache, TTLCache

from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.core.rate import SECOND, Taken, take
from monigo.infra.db import Transaction
from monigo.tenancy import store
from monigo.tenancy.settings import LimitSettings
from monigo.tenancy.types import KeyReference

UNLIMITED = LimitSettings()
# About 20 MB; beyond it what was known first is read again, and buckets that are full again go,
# because forgetting them changes nothing.
REMEMBERED_MAX = 100_000


class Limits:
    """The limits of all organisations of this process, and what their keys have used of them."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic = monotonic
        # Requests are counted by what was last read, however long ago that is.
        self._last: FIFOCache[OrganizationId, LimitSettings] = FIFOCache(REMEMBERED_MAX)
        self._known: TTLCache[OrganizationId, LimitSettings] = TTLCache(
            REMEMBERED_MAX, ttl=SECOND, timer=self._now
        )
        self._full_at: dict[ApiKeyId, int] = {}

    def _now(self) -> int:
        return self._monotonic()

    def admit(self, caller: KeyReference) -> Taken | None:
        """Count one request of a key; None where no rate is set, or none is known yet."""
        limits = self._last.get(caller.tenant.org_id)
        if limits is None or limits.requests_per_second_max is None:
            return None
        now = self._monotonic()
        taken = take(
            self._full_at.get(caller.api_key_id, 0),
            per_second=limits.requests_per_second_max,
            now=now,
        )
        if len(self._full_at) >= REMEMBERED_MAX:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        self._full_at[caller.api_key_id] = taken.full_at
        return taken

    def known(self, org_id: OrganizationId) -> LimitSettings | None:
        """The organisation's limits, if they were read within the last second."""
        return self._known.get(org_id)

    async def of(self, tx: Transaction) -> LimitSettings:
        """The organisation's limits, refreshed where they were read more than a second ago."""
        limits = self.known(tx.org_id)
        if limits is None:
            limits = await store.load_limits(tx) or UNLIMITED
            self._known[tx.org_id] = self._last[tx.org_id] = limits
        return limits
