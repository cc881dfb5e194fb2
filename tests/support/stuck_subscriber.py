"""A worker that never comes to the mark: it has a subscriber handle facts, says so, and hangs.

`python -m support.stuck_subscriber <database url> <organization id> <seconds ahead>`
"""

import asyncio
import sys
from datetime import timedelta
from uuid import UUID

from monigo import audit
from monigo.bootstrap import REGISTRY
from monigo.core.ids import OrganizationId
from monigo.infra import outbox
from monigo.infra.db import Database, Tenant
from monigo.infra.facts import Subscriber
from support.clock import AdjustableClock

KNOWN = audit.CHAIN


async def handle_and_hang(tx, facts):
    await KNOWN.handle(tx, facts)
    sys.stdout.write("handled\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def main(url, org_id, seconds_ahead):
    clock = AdjustableClock(timedelta(seconds=float(seconds_ahead)))
    database = await Database.connect(url, clock=clock, pool_size=2, registry=REGISTRY)
    stuck = Subscriber(KNOWN.name, KNOWN.facts, handle_and_hang)
    tenant = Tenant(OrganizationId(UUID(org_id)), is_test=True)
    await outbox.deliver_all(database, stuck, tenant)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
