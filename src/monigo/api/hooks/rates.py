"""How many webhooks an organisation gets in a second, from all providers together."""

import time

from cachetools import LRUCache

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import OrganizationId
from monigo.core.rate import take

# Of an organisation in one process; providers send again what was turned away.
PER_SECOND_MAX = 500
ORGANIZATIONS_MAX = 100_000


class HookRates:
    """Counts webhooks by the organisation that they are addressed to."""

    def __init__(self) -> None:
        self._full_at: LRUCache[OrganizationId, int] = LRUCache(ORGANIZATIONS_MAX)

    def admit(self, org_id: OrganizationId) -> None:
        """Count a webhook.

        Raises:
            DomainError: rate_limited, for one too many.
        """
        full_at = self._full_at.get(org_id, 0)
        taken = take(full_at, per_second=PER_SECOND_MAX, now=time.monotonic_ns())
        self._full_at[org_id] = taken.full_at
        if not taken.is_admitted:
            raise DomainError(
                ErrorKind.RATE_LIMITED,
                "rate_limited",
                "too many webhooks at once",
                retry_after_seconds=taken.wait_seconds,
            )
