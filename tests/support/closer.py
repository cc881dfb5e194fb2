"""One of several workers that close periods, to be killed at any moment.

`python -m support.closer <database url> <organization id> <seconds ahead>` never ends by itself.
"""

import asyncio
import os
import sys
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from monigo import invoicing
from monigo.bootstrap import REGISTRY
from monigo.core.ids import OrganizationId
from monigo.infra.agenda.work import work_some
from monigo.infra.db import Database, Tenant
from support.clock import AdjustableClock

# Few at once, so that the workers meet often.
SLICE = 3
IDLE_SECONDS = 0.01


async def main(url, org_id, seconds_ahead):
    clock = AdjustableClock(timedelta(seconds=float(seconds_ahead)))
    database = await Database.connect(url, clock=clock, pool_size=2, registry=REGISTRY)
    tenant = Tenant(OrganizationId(UUID(org_id)), is_test=False)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    # Nobody reads what is logged from here on, and a full pipe would stop us.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    task = replace(invoicing.CLOSE, handler=replace(invoicing.CLOSE.handler, size=SLICE))
    while True:
        if not await work_some(database, task, tenant, asyncio.Event()):
            await asyncio.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
