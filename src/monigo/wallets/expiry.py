"""What ends by itself: held money comes back, and what is left of credits goes."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from monigo.infra.database import Database, Tenant, Transaction
from monigo.wallets import credits_store, reservations_store
from monigo.wallets.credits import expire_credits
from monigo.wallets.reservations import expire_reservations

# Of one transaction; the next goes on where there is more.
STEP = 1_000

_Sweep = Callable[[Transaction, int], Awaitable[int]]
_SWEEPS: tuple[_Sweep, ...] = (expire_reservations, expire_credits)


async def expire_all(database: Database, tenant: Tenant) -> None:
    """Let all of a tenant's reservations and credits expire that have come to their end."""
    for sweep in _SWEEPS:
        swept = STEP
        while swept == STEP:
            async with database.transaction(tenant) as tx:
                swept = await sweep(tx, STEP)


class Expiry:
    """The end of reservations and credits as what a test clock lets happen on its way."""

    async def next_due(self, tx: Transaction) -> datetime | None:
        """When the next of the tenant's reservations and credits expires."""
        instants = [
            await reservations_store.next_expiry(tx),
            await credits_store.next_expiry(tx),
        ]
        return min((instant for instant in instants if instant is not None), default=None)

    async def run(self, database: Database, tenant: Tenant) -> None:
        """Let expire what has come to its end by the tenant's now."""
        await expire_all(database, tenant)
