"""What ends by itself: held money comes back, and what is left of credits goes."""

from datetime import datetime

from monigo.infra.database import Database, Tenant, Transaction
from monigo.wallets import credits_store, reservations_store
from monigo.wallets.credits import OpenPeriods, expire_credits
from monigo.wallets.reservations import expire_reservations

# Of one transaction; the next goes on where there is more.
STEP = 1_000


class ReservationExpiry:
    """The end of reservations as what a test clock lets happen on its way."""

    async def next_due(self, tx: Transaction) -> datetime | None:
        """When the next of the tenant's reservations expires."""
        return await reservations_store.next_expiry(tx)

    async def run(self, database: Database, tenant: Tenant) -> None:
        """Let all reservations expire that have come to their end by the tenant's now."""
        expired = STEP
        while expired == STEP:
            async with database.transaction(tenant) as tx:
                expired = await expire_reservations(tx, STEP)


class CreditExpiry:
    """The end of credits as what a test clock lets happen on its way, after what they may pay."""

    def __init__(self, open_periods: OpenPeriods) -> None:
        self._open_periods = open_periods

    async def next_due(self, tx: Transaction) -> datetime | None:
        """When the next of the tenant's grants expires, or is looked at again."""
        return await credits_store.next_sweep(tx)

    async def run(self, database: Database, tenant: Tenant) -> None:
        """Take back what is left of grants that expired by the tenant's now, and pay nothing more.

        One that may still pay a period which is open is left, and looked at again later.
        """
        looked_at = STEP
        while looked_at == STEP:
            async with database.transaction(tenant) as tx:
                looked_at = await expire_credits(tx, STEP, open_periods=self._open_periods)
