"""The due work of charges: to send them, and to ask about what is not final."""

import asyncio
from collections import defaultdict
from uuid import UUID

from monigo.core.ids import ChargeId
from monigo.infra import agenda
from monigo.infra.agenda import PUT_OFF, Batches, Claims, Task, Turns
from monigo.infra.db import Database, RowLock
from monigo.payments.charges import outcomes, store
from monigo.payments.charges.calling import Desk, submit_all
from monigo.payments.charges.outcomes import ASK
from monigo.providers.registry import PROVIDERS

# Batches under way at once of one provider; each waits for its answers most of the time. A
# connection has half of them, and each provider as many, so that one that hangs leaves the others
# theirs.
OF_PROVIDER, OF_CONNECTION = 4, 2
AT_ONCE = OF_PROVIDER * len(PROVIDERS)


class _Asking:
    """Sends charges and asks about them, each connection's by themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._at_provider, self._of_connection = Turns(OF_PROVIDER), Turns(OF_CONNECTION)

    async def work(self, database: Database, claims: Claims, stop: asyncio.Event) -> None:
        """Ask all that was claimed; one connection's failure is not another's."""
        del stop
        parts: defaultdict[tuple[UUID, str], list[UUID]] = defaultdict(list)
        async with database.transaction(claims.tenant) as tx:
            charges = await store.load(tx, claims.subjects, RowLock.NONE)
        for charge in charges.values():
            parts[charge.connection_id, charge.provider].append(charge.id)
        ended = await asyncio.gather(
            *(self._take_turn(database, claims, *one, part) for one, part in parts.items()),
            return_exceptions=True,
        )
        for error in ended:
            if error is not None:
                raise error

    async def _take_turn(
        self,
        database: Database,
        claims: Claims,
        connection_id: UUID,
        provider: str,
        subjects: list[UUID],
    ) -> None:
        own = (connection_id, claims.tenant.is_test)
        async with self._of_connection.at(own) as is_own, self._at_provider.at(provider) as is_free:
            if is_own and is_free:
                await self._ask(database, claims, subjects)
                return
        async with database.transaction(claims.tenant) as tx:
            await claims.finish(
                tx, subjects, again_at=dict.fromkeys(subjects, tx.real_now + PUT_OFF)
            )

    async def _ask(self, database: Database, claims: Claims, subjects: list[UUID]) -> None:
        ids = [ChargeId(subject) for subject in subjects]
        steps = await submit_all(self._desk, database, claims.tenant, ids)
        async with database.transaction(claims.tenant) as tx:
            # What is to be asked again was put on the agenda as it was recorded, and what was
            # sent, in case that its process dies.
            await claims.finish(tx, subjects)
            ended = [one.charge for one in steps if not one.must_wait]
            await agenda.cancel(tx, ASK, outcomes.not_asked_again(tx, ended))


def ask_task(desk: Desk) -> Task:
    """Due work that sends charges nobody waits for, and asks about those that are not final."""
    return Task(ASK, Batches(_Asking(desk).work), concurrency=AT_ONCE)
