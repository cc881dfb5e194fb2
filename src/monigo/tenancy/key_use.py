"""When keys were last used: remembered by the process, and written down once a minute."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.infra.db import Database, Tenant, as_unavailable
from monigo.infra.logging import logger
from monigo.infra.waiting import stopped_within
from monigo.tenancy import store
from monigo.tenancy.types import KeyReference

log = logger(__name__)

WRITE_SECONDS = 60
# About 20 MB; beyond it some are written down once more than need be.
REMEMBERED_MAX = 100_000


class KeyUse:
    """The minute in which each key was last presented. A request costs no statement by it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: dict[ApiKeyId, datetime] = {}
        self._used: defaultdict[OrganizationId, dict[ApiKeyId, datetime]] = defaultdict(dict)

    def note(self, caller: KeyReference, now: datetime) -> None:
        """Note that a key was presented; whether it counted is looked at when it is written."""
        minute = now.replace(second=0, microsecond=0)
        if self._written.get(caller.api_key_id) != minute:
            self._used[caller.tenant.org_id][caller.api_key_id] = minute

    async def write(self) -> None:
        """Write down what was used since the last time, an organisation after the other.

        Raises:
            Exception: the database is away; what was not written is written the next time.
        """
        while self._used:
            org_id, used = next(iter(self._used.items()))
            noted: Mapping[ApiKeyId, datetime] = dict(used)
            async with self._database.transaction(Tenant(org_id, is_test=False)) as tx:
                await store.note_keys_used(tx, noted)
            if len(self._written) >= REMEMBERED_MAX:
                self._written.clear()
            self._written |= noted
            for key, minute in noted.items():
                if used.get(key) == minute:
                    del used[key]
            if not used:
                del self._used[org_id]

    async def keep_writing(self, stop: asyncio.Event) -> None:
        """Write once a minute until `stop` is set, and a last time then."""
        while True:
            is_last = await stopped_within(stop, WRITE_SECONDS)
            try:
                await self.write()
            except Exception as error:
                if as_unavailable(error) is None:
                    log.exception("use of keys not written")
                else:
                    log.warning("use of keys waits for the database", reason=str(error))
            if is_last:
                return
