"""A worker that turns facts into webhooks and sends them, until it is killed."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from monigo.bootstrap import open_services
from monigo.infra import agenda, outbox
from monigo.infra.settings import Settings
from support.backend import SECRET_KEY
from support.clock import AdjustableClock


async def main(app_url: str, ahead_seconds: str, data_dir: str) -> None:
    """Work; a line on standard output says when it begins."""
    settings = Settings(
        data_dir=Path(data_dir),
        app_database_url=app_url,
        simulator=False,
        secret_key=SECRET_KEY,
        webhooks_allow_private=True,
    )
    clock = AdjustableClock(timedelta(seconds=float(ahead_seconds)))
    services = await open_services(settings, app_url, clock=clock)
    stop, slots = asyncio.Event(), asyncio.Semaphore(4)
    tasks = services.webhooks.sender.tasks
    async with asyncio.TaskGroup() as group:
        group.create_task(outbox.dispatch_facts(services.database, app_url, stop))
        group.create_task(agenda.run_due_work(services.database, tasks, slots=slots, stop=stop))
        sys.stdout.write("works\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
