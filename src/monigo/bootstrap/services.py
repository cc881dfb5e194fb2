"""What a running process works with, put together."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from monigo import invoicing, metering, people, reports, test_mode, wallets, webhooks
from monigo.bootstrap.registry import REGISTRY
from monigo.core.access import Principal
from monigo.infra import idempotency, outbox
from monigo.infra.agenda import Task
from monigo.infra.clock import Clock, SystemClock
from monigo.infra.crypto import Passwords, app_password, vault_of
from monigo.infra.db import Database, migrate, require_present_schema
from monigo.infra.mail import mailer_of
from monigo.infra.queue import LongJob
from monigo.infra.settings import Settings, public_url_of
from monigo.infra.waiting import until_available
from monigo.metering import Ingestor
from monigo.people import People
from monigo.tenancy import KeyFinder, KeyUse, Limits
from monigo.wallets import MovementBatcher

# Work that falls due as time passes. Reservations expire before billing runs, so that released
# money can pay; credits expire after it, so that they are used first. Of what is due at one
# instant, a test clock does the work in this order.
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
# The due work that needs nothing but the database.
TASKS: tuple[Task, ...] = (
    *CLOCK_TASKS,
    invoicing.CHARGE,
    test_mode.keep_clocks(CLOCK_TASKS),
    *(job.watch() for job in LONG_JOBS),
    idempotency.FORGET,
    people.sign_in.FORGET,
    metering.redaction_task(invoicing.open_from),
    reports.dashboard.LOOK_FOR_DECLINES,
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
    key_use: KeyUse
    people: People
    app_url: str
    slices: asyncio.Semaphore

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All due work there is, with what needs something of this process."""
        return (*TASKS, self.people.mailer.task)

    async def close(self) -> None:
        """Close what is open, after everything that was begun has ended."""
        await self.people.passwords.close()
        await self.database.close()

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
    vault = vault_of(settings)
    return Services(
        settings,
        database,
        chosen,
        Ingestor(database, limits),
        MovementBatcher(database, limits),
        limits,
        KeyFinder(database),
        KeyUse(database),
        People(
            database,
            vault,
            Passwords(),
            mailer_of(settings, vault),
            people.AccessTokens(database, vault),
            public_url_of(settings),
        ),
        app_url,
        asyncio.Semaphore(max(1, min(SLICES_AT_ONCE, settings.pool_size // 2))),
    )
