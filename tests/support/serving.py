"""A server with its worker on a clock that runs ahead, to be killed at any moment.

`python -m support.serving <owner's url> <data dir> <simulator's url> <port> <seconds ahead>` never
ends by itself.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn

from monigo.api import create_app
from monigo.bootstrap import bring_up_to_date, open_services
from monigo.infra.logging import configure_logging
from monigo.infra.settings import Settings
from monigo.worker.run import run_worker
from support.backend import SECRET_KEY
from support.clock import AdjustableClock


async def main(owner_url, data_dir, simulator_url, port, seconds_ahead):
    configure_logging(log_format="json", level="warning")
    settings = Settings(
        data_dir=Path(data_dir),
        database_url=owner_url,
        demo_data=False,
        secret_key=SECRET_KEY,
        simulator=False,
        simulator_url=simulator_url,
        # A test may have as many requests wait for a lock.
        pool_size=40,
    )
    clock = AdjustableClock(timedelta(seconds=float(seconds_ahead)))
    app_url = await bring_up_to_date(settings, owner_url)
    services = await open_services(settings, app_url, clock=clock)
    config = uvicorn.Config(
        create_app(services), port=int(port), log_config=None, lifespan="off", access_log=False
    )
    server = uvicorn.Server(config)
    asyncio.get_running_loop().call_soon(_say_ready, server)
    await asyncio.gather(server.serve(), run_worker(services, asyncio.Event()))


def _say_ready(server):
    """Say so as soon as the server takes connections."""
    if not server.started:
        asyncio.get_running_loop().call_later(0.02, _say_ready, server)
        return
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    # Nobody reads what is said from here on, and a full pipe would stop us.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
