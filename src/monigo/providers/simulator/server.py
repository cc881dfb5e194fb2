"""The simulator as a server: one ASGI application for all providers, pages and control."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from monigo.providers.simulator import (
    control,
    flutterwave,
    monnify,
    pages,
    paystack,
    whatsapp,
)
from monigo.providers.simulator.engine import Simulator, Webhooks
from monigo.providers.simulator.protocol import TRANSPORT, route

PROTOCOLS = (paystack.PROTOCOL, flutterwave.PROTOCOL, monnify.PROTOCOL, whatsapp.PROTOCOL)
START_POLL_SECONDS = 0.01


class RunningSimulator(Struct, frozen=True):
    """A simulator that answers, where people and programs reach it, and each provider's URL."""

    simulator: Simulator
    url: str
    base_urls: dict[str, str]


def base_urls(url: str) -> dict[str, str]:
    """Where each provider's requests go at a simulator."""
    return {one.shapes.provider: f"{url}{one.base}" for one in PROTOCOLS}


def create_simulator(path: Path | None = None, url: str = "", home: str = "") -> Simulator:
    """A simulator, with its books in a file if a path is given.

    `home` is where webhooks go of merchants whose key says which organisation they are.
    """
    webhooks = {one.shapes.provider: Webhooks(one.event, one.is_retried) for one in PROTOCOLS}
    return Simulator(webhooks, path=path, url=url, home=home)


def create_app(simulator: Simulator) -> Starlette:
    """The ASGI application of a simulator."""
    providers: list[BaseRoute] = [
        Mount(
            one.base,
            routes=[route(one.shapes, simulator, made) for made in one.routes],
        )
        for one in PROTOCOLS
    ]
    return Starlette(routes=[*providers, *control.routes(simulator), *pages.routes(simulator)])


class _DroppingProtocol(HttpToolsProtocol):
    """Hands the connection to the application, which may drop it without a word."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # pyright: ignore[reportGeneralTypeIssues] - ours


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the program that runs it stops it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def running_simulator(
    *, host: str = "127.0.0.1", port: int = 0, path: Path | None = None, home: str = ""
) -> AsyncGenerator[RunningSimulator]:
    """A simulator that answers on a port (0: any that is free) until the end of the block.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.create_server((host, port), backlog=256)
    url = f"http://{host}:{listener.getsockname()[1]}"
    simulator = create_simulator(path, url, home)
    server = _Server(
        uvicorn.Config(
            create_app(simulator),
            http=_DroppingProtocol,
            ws="none",
            access_log=False,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # Uvicorn has no event to wait for, only a flag.
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(START_POLL_SECONDS)
        yield RunningSimulator(simulator, url, base_urls(url))
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await simulator.close()
        listener.close()
