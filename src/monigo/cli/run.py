"""Starts and stops what a process consists of: database, API, worker."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from functools import partial

import uvicorn
from msgspec import Struct

from monigo.api import create_app
from monigo.api.kernel.http.browsers import CrossOrigin
from monigo.bootstrap import Services, bring_up_to_date, open_services
from monigo.cli.connections import GuardedProtocol
from monigo.cli.door import CONNECTIONS_MAX, Door
from monigo.cli.first_start.credentials import Credentials, provide_credentials
from monigo.infra.db import MigrationError, start_embedded
from monigo.infra.logging import logger
from monigo.infra.settings import Settings
from monigo.providers.simulator import running_simulator
from monigo.worker import run_worker

log = logger(__name__)

# A client that never reads its answer must not keep a stopping process alive.
DRAIN_SECONDS = 20
# Objects made, less those freed, before the collector looks at the young ones.
GARBAGE_THRESHOLD = 20_000
# Files that are no client's: the database's connections, logs, the listener.
OWN_FILES = 256
# Far below what a person notices of a start.
START_POLL_SECONDS = 0.01
# The simulator's books, in the data directory.
SIMULATOR_FILE = "simulator.jsonl"
ANY_HOST = frozenset({"0.0.0.0"})  # noqa: S104 - only compared with, not bound to


class Role(Enum):
    """What a process can do."""

    API = "api"
    WORKER = "worker"


class Running(Struct, frozen=True):
    """Open services, and how the database's owner reaches it."""

    services: Services
    owner_url: str
    database_location: str


@asynccontextmanager
async def application_services(settings: Settings) -> AsyncGenerator[Services]:
    """Services on a database that the application's role alone can reach, closed at the end.

    Raises:
        MigrationError: MONIGO_APP_DATABASE_URL is not set; the database has another schema.
    """
    if settings.app_database_url is None:
        raise MigrationError(
            "set MONIGO_APP_DATABASE_URL to what `monigo migrate --show-app-url` prints;"
            " the owner's URL stays with the owner"
        )
    services = await open_services(settings, settings.app_database_url.get_secret_value())
    try:
        yield services
    finally:
        await services.close()


@asynccontextmanager
async def running_services(settings: Settings) -> AsyncGenerator[Running]:
    """The database (started or attached to) and the services on it, closed at the end.

    It is brought to the present schema first.
    """
    embedded = None
    if settings.database_url is None:
        embedded = await start_embedded(settings.data_dir, log=log.info)
        owner_url = embedded.url
        location = f"embedded PostgreSQL in {settings.data_dir.resolve()}"
    else:
        owner_url = settings.database_url.get_secret_value()
        location = "PostgreSQL at MONIGO_DATABASE_URL"
    try:
        services = await open_services(settings, await bring_up_to_date(settings, owner_url))
        try:
            yield Running(services, owner_url, location)
        finally:
            await services.close()
    finally:
        if embedded is not None:
            await embedded.stop()


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: ours also stop the worker and the database."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def run_everything(settings: Settings) -> None:
    """Run database, API and worker until SIGINT or SIGTERM, then finish what was begun.

    Fills an empty database with the demo, and writes credentials.json when ready.
    """
    stop = _stop_signal()
    listener = _listen(settings)
    _tune_garbage_collection()
    async with (
        _simulated_providers(settings, listener) as simulated,
        running_services(simulated) as running,
    ):

        async def announce() -> None:
            await _announce(running, listener)

        await _run(running.services, stop, set(Role), listener, announce)


@asynccontextmanager
async def _simulated_providers(
    settings: Settings, listener: socket.socket
) -> AsyncGenerator[Settings]:
    """Settings by which test mode asks a simulator, which runs in this process until the end.

    Live mode never does. Where its port is taken it gets another one.
    """
    if not settings.simulator or settings.simulator_url is not None:
        yield settings
        return
    host, port = listener.getsockname()[:2]
    reached = "127.0.0.1" if host in ANY_HOST else host
    async with contextlib.AsyncExitStack() as stack:
        simulator = partial(
            running_simulator,
            path=settings.data_dir / SIMULATOR_FILE,
            home=f"http://{reached}:{port}",
        )
        try:
            running = await stack.enter_async_context(simulator(port=settings.simulator_port))
        except OSError:
            running = await stack.enter_async_context(simulator(port=0))
        yield settings.model_copy(update={"simulator_url": running.url})


async def run_alone(settings: Settings, role: Role) -> None:
    """Run the API or a worker on a database of the present schema, until SIGINT or SIGTERM."""
    stop = _stop_signal()
    listener = _listen(settings) if role is Role.API else None
    _tune_garbage_collection()
    async with application_services(settings) as services:
        await _run(services, stop, {role}, listener)


async def _run(
    services: Services,
    stop: asyncio.Event,
    roles: AbstractSet[Role],
    listener: socket.socket | None,
    announce: Callable[[], Awaitable[None]] | None = None,
) -> None:
    async with asyncio.TaskGroup() as group:
        if Role.WORKER in roles:
            group.create_task(run_worker(services, stop))
        if listener is not None:
            server = _server(services)
            group.create_task(_serve(server, listener, stop))
            group.create_task(services.key_use.keep_writing(stop))
            await _started(server, stop)
            if announce is not None and not stop.is_set():
                await announce()
        log.info("running", roles=sorted(role.value for role in roles))
    log.info("stopping")


def _stop_signal() -> asyncio.Event:
    """Set when the process is asked to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _tune_garbage_collection() -> None:
    """Collect seldom: requests leave few cycles, and looking for them took a tenth of the time."""
    gc.collect()
    gc.freeze()  # What was imported stays for good, and need not be looked at again.
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)


def _listen(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=2048)
    except OSError as error:
        raise OSError(
            f"can't listen on {settings.host}:{settings.port} ({error.strerror}):"
            " is another Monigo running? Set MONIGO_PORT to use another port."
        ) from error


def _server(services: Services) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            create_app(services),
            http=partial(  # pyright: ignore[reportArgumentType] - only ever called
                GuardedProtocol,
                door=_door(services.settings),
                cross_origin=CrossOrigin(services.settings.cors_origins),
            ),
            ws="none",
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


def _door(settings: Settings) -> Door:
    """Who may open how many connections, as many as there are files for."""
    files = CONNECTIONS_MAX + OWN_FILES
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        files = min(files, most)
    if allowed != resource.RLIM_INFINITY and allowed < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return Door(
        settings.connections_per_address,
        settings.trusted_proxies,
        max(1, files - OWN_FILES),
    )


async def _serve(server: uvicorn.Server, listener: socket.socket, stop: asyncio.Event) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await stop.wait()
    server.should_exit = True
    await serving


async def _started(server: uvicorn.Server, stop: asyncio.Event) -> None:
    # Uvicorn has no event to wait for, only a flag.
    while not server.started and not stop.is_set():  # noqa: ASYNC110
        await asyncio.sleep(START_POLL_SECONDS)


async def _announce(running: Running, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    is_local = host in ANY_HOST or host == "127.0.0.1"
    base_url = f"http://{'localhost' if is_local else host}:{port}"
    credentials = await provide_credentials(running.services, running.owner_url, base_url)
    _show(running, credentials)


def _show(running: Running, credentials: Credentials) -> None:
    path = running.services.settings.data_dir / "credentials.json"
    sys.stdout.write(
        f"""
Monigo is ready.
  API       {credentials.base_url}   (reference: {credentials.base_url}/docs)
  test key  {credentials.test_api_key}
  log in    {credentials.email or "by an account of yours: monigo user create EMAIL"}
  providers {credentials.simulator_url or "not simulated"}
  database  {running.database_location}
  all keys  {path}

Try it:
  curl -H 'Authorization: Bearer {credentials.test_api_key}' {credentials.base_url}/v1/customers

"""
    )
    sys.stdout.flush()
