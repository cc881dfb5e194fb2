"""The server under test, in a thread of its own."""

import asyncio
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from monigo.api import create_app
from monigo.bootstrap import Services, bring_up_to_date, open_services
from monigo.infra.settings import Settings
from support.clock import AdjustableClock
from support.connections import Connections
from support.mail import MailServer
from support.payments import Simulated

SECRET_KEY = "the-tests-have-a-secret-key-of-their-own"


@dataclass
class Backend:
    url: str
    owner_url: str
    app_url: str
    services: Services
    clock: AdjustableClock
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server
    thread: threading.Thread
    connections: Connections
    mail: MailServer | None = None
    simulated: Simulated | None = None

    def run(self, coroutine):
        """Run a coroutine on the server's loop, where its connections live."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def sql(self, query, *arguments, as_app=None):
        """Rows of one statement as the database's owner, or as the application for a tenant."""
        url = self.app_url if as_app else self.owner_url
        return self.connections.fetch(url, query, arguments, as_app)

    def stop(self):
        self.connections.close()
        self.server.should_exit = True
        self.thread.join(30)


CENTURY_SECONDS = 100 * 365 * 86_400


def start_backend(owner_url, data_dir: Path, **more) -> Backend:
    clock = AdjustableClock()
    ready = threading.Event()
    started = {}

    async def main():
        # No worker runs beside it, so that events wait until a test folds them.
        settings = Settings(
            data_dir=data_dir,
            database_url=owner_url,
            demo_data=False,
            fold_lag_seconds_max=CENTURY_SECONDS,
            secret_key=SECRET_KEY,
            **more,
        )
        app_url = await bring_up_to_date(settings, owner_url)
        services = await open_services(settings, app_url, clock=clock)
        config = uvicorn.Config(
            create_app(services), port=0, log_config=None, lifespan="off", access_log=False
        )
        server = uvicorn.Server(config)
        started.update(services=services, server=server, loop=asyncio.get_running_loop())
        ready.set()
        await server.serve()
        await services.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    server = started["server"]
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return Backend(
        url=f"http://127.0.0.1:{port}",
        owner_url=owner_url,
        app_url=started["services"].app_url,
        services=started["services"],
        clock=clock,
        loop=started["loop"],
        server=server,
        thread=thread,
        connections=Connections(),
    )
