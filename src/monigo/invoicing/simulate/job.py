"""Works off simulations of a plan's prices, page by page; one interrupted starts from nothing."""

import asyncio
from uuid import UUID

from monigo.infra.db import Database, Tenant
from monigo.infra.queue import LongJob, TryLaterError
from monigo.invoicing.simulate.service import (
    SIMULATION,
    Cursor,
    begin_simulation,
    complete_simulation,
    simulate_some,
    start_report,
)


async def run_simulation(
    database: Database, tenant: Tenant, job_id: UUID, stop: asyncio.Event
) -> None:
    """Take a simulation to its end.

    Raises:
        TryLaterError: the worker stops.
    """
    async with database.transaction(tenant) as tx:
        simulation = await begin_simulation(tx, job_id)
        if simulation is None:
            return
        report = await start_report(tx, simulation.proposal)
    cursor: Cursor | None = Cursor()
    while cursor is not None:
        if stop.is_set():
            raise TryLaterError(0)
        async with database.transaction(tenant) as tx:
            cursor = await simulate_some(tx, simulation, cursor, report)
    async with database.transaction(tenant) as tx:
        await complete_simulation(tx, simulation, report)


SIMULATION_JOB = LongJob(SIMULATION, run_simulation)
