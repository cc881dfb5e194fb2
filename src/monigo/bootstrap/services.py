"""What a running process works with, put together."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from monigo import (
    alerts,
    collection,
    invoicing,
    metering,
    payouts,
    people,
    reports,
    tenancy,
    test_mode,
    wallets,
    webhooks,
)
from monigo.bootstrap.provider_events import EVENT_TASKS, ProviderEvents, provider_events_of
from monigo.bootstrap.registry import REGISTRY
from monigo.core.access import Principal
from monigo.infra import idempotency, outbox
from monigo.infra.agenda import Task
from monigo.infra.clock import Clock, SystemClock
from monigo.infra.crypto import Passwords, Vault, app_password, vault_of
from monigo.infra.db import Database, migrate, require_present_schema
from monigo.infra.http_client import EVERY_NETWORK, HttpClient, Outward
from monigo.infra.mail import mailer_of
from monigo.infra.queue import LongJob
from monigo.infra.settings import Settings, public_url_of
from monigo.infra.waiting import until_available
from monigo.metering import Ingestor
from monigo.notifications import mails, whatsapp
from monigo.notifications.mails import UnsubscribeLinks
from monigo.payments import (
    accounts,
    charges,
    connections,
    methods,
    payout_accounts,
    refunds,
    transfers,
)
from monigo.payments.connections import ProviderDesk
from monigo.payments.payout_accounts import BankDirectory
from monigo.people import People
from monigo.portal_access import PortalTokens
from monigo.providers import simulator
from monigo.providers.client import ProviderClient
from monigo.providers.registry import PROVIDERS
from monigo.providers.whatsapp import WhatsAppClient
from monigo.tenancy import KeyFinder, KeyUse, Limits
from monigo.wallets import MovementBatcher
from monigo.webhooks import Webhooks

# Work that falls due as time passes. Reservations expire before billing runs, so that released
# money can pay, and payees get what waited for them; credits expire after it, so that they are used
# first. Of what is due at one instant, a test clock does the work in this order.
CLOCK_TASKS: tuple[Task, ...] = (
    wallets.EXPIRE_RESERVATIONS,
    metering.ATTRIBUTE,
    invoicing.WAKE,
    invoicing.CLOSE,
    *collection.TASKS,
    collection.funding.PULL_TOP_UPS,
    *payouts.TASKS,
    methods.REPORT_EXPIRY,
    wallets.expire_credits_after(invoicing.open_periods),
    # What the work before it has come to.
    *alerts.CLOCK_TASKS,
    *reports.digests.REPORT_USAGE,
    outbox.FORGET,
    outbox.FORGET_PUBLISHED,
)
# Long work with progress, in lanes of the queue.
LONG_JOBS: tuple[LongJob, ...] = (invoicing.replay_job(), invoicing.SIMULATION_JOB)
# The due work that needs nothing but the database.
TASKS: tuple[Task, ...] = (
    *CLOCK_TASKS,
    invoicing.CHARGE,
    *alerts.TASKS,
    *(job.watch() for job in LONG_JOBS),
    idempotency.FORGET,
    people.sign_in.FORGET,
    metering.redaction_task(invoicing.open_from),
    reports.dashboard.LOOK_FOR_DECLINES,
    connections.FORGET_CALLS,
    collection.RETRY_WAITING,
    webhooks.deliveries.FORGET,
    mails.FORGET,
    *EVENT_TASKS,
    whatsapp.CONFIRMATIONS,
    whatsapp.FORGET,
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
    portal_tokens: PortalTokens
    people: People
    desk: ProviderDesk
    banks: BankDirectory
    http: HttpClient
    provider_events: ProviderEvents
    webhooks: Webhooks
    messenger: whatsapp.Messenger
    unsubscribe_links: UnsubscribeLinks
    app_url: str
    slices: asyncio.Semaphore

    @property
    def clock_tasks(self) -> tuple[Task, ...]:
        """All that a test clock does on its way: it also waits for what providers say."""
        return (*CLOCK_TASKS, collection.await_task(self.desk))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All due work there is, with what needs something of this process."""
        return (
            *TASKS,
            collection.await_task(self.desk),
            test_mode.keep_clocks(self.clock_tasks),
            self.people.mailer.task,
            mails.compose_task(self.people.mailer, self.unsubscribe_links),
            charges.ask_task(self.desk),
            refunds.ask_task(self.desk),
            transfers.submit_task(self.desk),
            transfers.ask_task(self.desk),
            payout_accounts.resolve_task(self.desk),
            methods.forgetting_task(self.desk),
            *self.provider_events.tasks,
            *self.webhooks.sender.tasks,
            webhooks.endpoints.notice_task(self.people),
            *accounts.tasks(self.desk),
            self.messenger.task,
        )

    async def close(self) -> None:
        """Close what is open, after everything that was begun has ended."""
        await self.people.passwords.close()
        await self.http.close()
        await self.provider_events.close()
        await self.webhooks.sender.close()
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
    vault = vault_of(settings)
    registry = REGISTRY
    if _simulates(settings) and vault.has_key:
        connect = connections.connect_new_organizations(vault)
        registry = REGISTRY.with_reaction(tenancy.events.OrganizationCreated, connect)
    database = await until_available(
        lambda: Database.connect(
            app_url, clock=chosen, pool_size=settings.pool_size, registry=registry
        )
    )
    limits = Limits()
    http = HttpClient(connections_max=len(PROVIDERS) * settings.provider_requests_at_once)
    desk = _desk(settings, vault, http)
    return Services(
        settings,
        database,
        chosen,
        Ingestor(database, limits),
        MovementBatcher(database, limits),
        limits,
        KeyFinder(database),
        KeyUse(database),
        PortalTokens(database),
        People(
            database,
            vault,
            Passwords(),
            mailer_of(settings, vault, mails.note_outcome),
            people.AccessTokens(database, vault),
            public_url_of(settings),
        ),
        desk,
        BankDirectory(desk),
        http,
        provider_events_of(settings, vault, desk),
        _webhooks(settings, vault),
        whatsapp.Messenger(_whatsapp_client(settings, http), vault),
        UnsubscribeLinks(vault, public_url_of(settings)),
        app_url,
        asyncio.Semaphore(max(1, min(SLICES_AT_ONCE, settings.pool_size // 2))),
    )


def _simulates(settings: Settings) -> bool:
    """Whether test mode is connected to a simulator: the one that is named, or that `serve` has."""
    is_embedded = settings.database_url is None and settings.app_database_url is None
    return settings.simulator and (is_embedded or settings.simulator_url is not None)


def _webhooks(settings: Settings, vault: Vault) -> Webhooks:
    """What takes endpoints in and sends to them, to public addresses unless others are allowed."""
    outward = Outward(EVERY_NETWORK if settings.webhooks_allow_private else ())
    return Webhooks(vault, outward, webhooks.deliveries.Sender(vault, outward))


def _desk(settings: Settings, vault: Vault, http: HttpClient) -> ProviderDesk:
    """The desk, which asks a simulator in place of the providers' test modes where there is one."""
    urls = {
        (name, mode == "test"): url
        for key, url in settings.provider_urls.items()
        for name, mode in (key.split("."),)
    }
    if settings.simulator_url is not None:
        simulated = simulator.base_urls(settings.simulator_url)
        urls |= {(name, True): url for name, url in simulated.items()}
    client = ProviderClient(http, urls)
    return ProviderDesk(client, vault, at_once_max=settings.provider_requests_at_once)


def _whatsapp_client(settings: Settings, http: HttpClient) -> WhatsAppClient:
    """Asks WhatsApp, and in test mode the simulator in its place where there is one."""
    simulated = settings.simulator_url and simulator.base_urls(settings.simulator_url)["whatsapp"]
    live_url = settings.whatsapp_url
    return WhatsAppClient(http, live_url=live_url, test_url=simulated or live_url)
