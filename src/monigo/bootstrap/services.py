"""What a running process works with, put together."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from monigo import invoicing, wallets
from monigo.bootstrap.registry import REGISTRY
from monigo.core.principals import Principal
from monigo.infra.clock import Clock, SystemClock
from monigo.infra.database import Database
from monigo.infra.migrations import migrate
from monigo.infra.secrets import app_password
from monigo.infra.settings import Settings
from monigo.infra.waiting import until_available
from monigo.metering import Ingestor
from monigo.tenancy import DueWork, KeyFinder, Limits
from monigo.wallets import MovementBatcher

# What expires of wallets: reservations, and credits after the periods that they may pay.
RESERVATION_EXPIRY = wallets.ReservationExpiry()
CREDIT_EXPIRY = wallets.CreditExpiry(invoicing.open_periods)
# What happens by itself as time goes by, and so on the way of a test clock. At one instant what was
# held until then is there again for what is billed, and credits expire after they were used.
TEST_CLOCK_WORK: tuple[DueWork, ...] = (
    RESERVATION_EXPIRY,
    invoicing.PeriodClose(),
    CREDIT_EXPIRY,
)

# Slices of billing under way at once: one computes here while the others are in the database. Of
# all kinds together, and on half of the connections at most, so that requests find some.
SLICES_AT_ONCE = 4


class Services(Struct, frozen=True):
    """What a running process works with."""

    settings: Settings
    database: Database
    clock: Clock
    ingestor: Ingestor
    movements: MovementBatcher
    limits: Limits
    keys: KeyFinder
    app_url: str
    slices: asyncio.Semaphore

    def acting_as(self, principal: Principal) -> "Services":
        """These services, for the work of somebody who is named in its transactions."""
        return replace(self, database=self.database.acting_as(principal))


async def open_services(
    settings: Settings, owner_url: str, *, clock: Clock | None = None
) -> Services:
    """Bring the database to the present schema and connect as the application's role.

    Waits for a database that is not available yet.
    """
    app_url = await until_available(lambda: migrate(owner_url, app_password(settings, owner_url)))
    chosen = clock or SystemClock()
    database = await until_available(
        lambda: Database.connect(
            app_url, clock=chosen, pool_size=settings.pool_size, registry=REGISTRY
        )
    )
    limits = Limits()
    return Services(
        settings,
        database,
        chosen,
        Ingestor(database, limits),
        MovementBatcher(database, limits),
        limits,
        KeyFinder(database),
        app_url,
        asyncio.Semaphore(max(1, min(SLICES_AT_ONCE, settings.pool_size // 2))),
    )
