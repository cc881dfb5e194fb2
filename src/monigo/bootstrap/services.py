"""What a running process works with, put together."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from monigo import invoicing, metering, test_mode, wallets, webhooks
from monigo.bootstrap.registry import REGISTRY
from monigo.core.principals import Principal
from monigo.infra import idempotency, outbox
from monigo.infra.agenda import Task
from monigo.infra.clock import Clock, SystemClock
from monigo.infra.db import Database, migrate, require_present_schema
from monigo.infra.queue import LongJob
from monigo.infra.secrets import app_password
from monigo.infra.settings import Settings
from monigo.infra.waiting import until_available
from monigo.metering import Ingestor
from monigo.tenancy import KeyFinder, Limits
from monigo.wallets import MovementBatcher

# What happens by itself as time goes by. Expiry of reservations runs before billing, so that what
# they held can pay; expiry of credits after it, so that they are used first. A test clock on its
# way does at one instant what is due in this order.
CLOCK_TASKS: tuple[Task, ...] = (
    wallets.EXPIRE_RESERVATIONS,
    invoicing.WAKE,
    invoicing.CLOSE,
    wallets.expire_credits_after(invoicing.open_periods),
    outbox.FORGET,
    webhooks.FORGET,
)
# Long work with progress, in lanes of the queue.
LONG_JOBS: tuple[LongJob, ...] = (invoicing.replay_job(), invoicing.SIMULATION_JOB)
# All due work there is.
TASKS: tuple[Task, ...] = (
    *CLOCK_TASKS,
    invoicing.CHARGE,
    test_mode.keep_clocks(CLOCK_TASKS),
    *(job.watch() for job in LONG_JOBS),
    idempotency.FORGET,
    metering.forget_old_events(invoicing.open_from),
)

# Slices of due work under way at once, of all kinds together: on half of the connections at most,
# so that requests find some.
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


async def bring_up_to_date(settings: Settings, owner_url: str) -> str:
    """Bring the database to the present schema; the URL of the application's role.

    Waits for a database that is not available yet.

    Raises:
        MigrationError: the database can't be brought to it.
    """
    return await until_available(lambda: migrate(owner_url, app_password(settings, owner_url)))


async def open_services(
    settings: Settings, app_url: str, *, clock: Clock | None = None
) -> Services:
    """Connect as the application's role, which is all that serving and working need.

    Waits for a database that is not available yet.

    Raises:
        MigrationError: the database has another schema than this program.
    """
    await until_available(lambda: require_present_schema(app_url))
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
