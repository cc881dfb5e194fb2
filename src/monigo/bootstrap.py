"""Chooses implementations and puts the parts together; the only place that does."""

import asyncio

from msgspec import Struct

from monigo import invoicing, subscriptions, wallets
from monigo.infra.clock import Clock, SystemClock
from monigo.infra.database import Database
from monigo.infra.migrations import migrate, require_present_schema
from monigo.infra.secrets import app_password
from monigo.infra.settings import Settings
from monigo.infra.waiting import until_available
from monigo.metering import Ingestor
from monigo.tenancy import DueWork, KeyFinder, Limits
from monigo.wallets import Teller

# What must not depend on a customer or plan any more when it is deleted.
CUSTOMER_DELETION_GUARDS = (
    subscriptions.refuse_customer_with_subscription,
    invoicing.refuse_customer_with_unpaid_invoice,
    wallets.close_wallets_of_customer,
)
PLAN_DELETION_GUARDS = (subscriptions.refuse_plan_with_subscriptions,)
PLAN_TERMS_GUARD = subscriptions.refuse_plan_ever_subscribed
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
    teller: Teller
    limits: Limits
    keys: KeyFinder
    app_url: str
    slices: asyncio.Semaphore


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
        lambda: Database.connect(app_url, clock=chosen, pool_size=settings.pool_size)
    )
    limits = Limits()
    return Services(
        settings,
        database,
        chosen,
        Ingestor(database, limits),
        Teller(database, chosen, limits),
        limits,
        KeyFinder(database),
        app_url,
        asyncio.Semaphore(max(1, min(SLICES_AT_ONCE, settings.pool_size // 2))),
    )
