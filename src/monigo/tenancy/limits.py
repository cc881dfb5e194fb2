"""What each organisation may ask of this process, known to within a second.

The settings are read in transactions that run anyway, at most once a second for an organisation;
until the first of them nothing is limited. Processes don't tell each other what they admitted.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.core.rate import SECOND, Taken, take
from monigo.infra.db import Transaction
from monigo.tenancy import store
from monigo.tenancy.settings import LimitSettings
from monigo.tenancy.types import KeyReference

UNLIMITED = LimitSettings()
# About 20 MB; beyond it what is full or stale goes, because forgetting it changes nothing.
REMEMBERED_MAX = 100_000


class _Known(Struct, frozen=True):
    limits: LimitSettings
    read_at: int


class Limits:
    """The limits of all organisations of this process, and what their keys have used of them."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic = monotonic
        self._known: dict[OrganizationId, _Known] = {}
        self._full_at: dict[ApiKeyId, int] = {}

    def admit(self, caller: KeyReference) -> Taken | None:
        """Count one request of a key; None where no rate is set, or none is known yet."""
        known = self._known.get(caller.tenant.org_id)
        if known is None or known.limits.requests_per_second_max is None:
            return None
        now = self._monotonic()
        taken = take(
            self._full_at.get(caller.api_key_id, 0),
            per_second=known.limits.requests_per_second_max,
            now=now,
        )
        if len(self._full_at) >= REMEMBERED_MAX:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        self._full_at[caller.api_key_id] = taken.full_at
        return taken

    def known(self, org_id: OrganizationId) -> LimitSettings | None:
        """The organisation's limits, if they were read within the last second."""
        known = self._known.get(org_id)
        if known is None or self._monotonic() - known.read_at >= SECOND:
            return None
        return known.limits

    async def of(self, tx: Transaction) -> LimitSettings:
        """The organisation's limits, read anew when the last time is over a second ago."""
        limits = self.known(tx.org_id)
        if limits is None:
            now = self._monotonic()
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            limits = await store.load_limits(tx) or UNLIMITED
            self._known[tx.org_id] = _Known(limits, now)
        return limits
