"""Works off simulations of a plan's prices, page by page; one interrupted starts from nothing."""

import asyncio
from uuid import UUID

from monigo import invoicing
from monigo.bootstrap import Services
from monigo.core.errors import DomainError
from monigo.infra.database import Database, Tenant, as_unavailable
from monigo.infra.job_queue import TryLaterError
from monigo.infra.logging import logger
from monigo.worker.tenants import all_tenants, serve_each

log = logger(__name__)

# While the database is to be waited for.
WAIT_SECONDS = 2


async def run_simulation(
    services: Services, tenant: Tenant, job_id: UUID, stop: asyncio.Event
) -> None:
    """Take a simulation to its end.

    Raises:
        TryLaterError: the database is away, or the worker stops.
    """
    database = services.database
    try:
        await _work(database, tenant, job_id, stop)
    except TryLaterError:
        raise
    except Exception as error:
        if as_unavailable(error) is not None:
            raise TryLaterError(WAIT_SECONDS) from error
        log.exception("simulation failed", job_id=str(job_id))
        reason = error.message if isinstance(error, DomainError) else "internal error"
        async with database.transaction(tenant) as tx:
            await invoicing.fail_simulation(tx, job_id, reason)


async def requeue_simulations(services: Services) -> None:
    """Put simulations back that fell out of the queue, as when the database failed."""

    async def requeue(tenant: Tenant) -> None:
        async with services.database.transaction(tenant) as tx:
            await invoicing.requeue_simulations(tx)

    await serve_each(await all_tenants(services), requeue)


async def _work(database: Database, tenant: Tenant, job_id: UUID, stop: asyncio.Event) -> None:
    async with database.transaction(tenant) as tx:
        simulation = await invoicing.begin_simulation(tx, job_id)
        if simulation is None:
            return
        report = await invoicing.start_report(tx, simulation.proposal)
    place: invoicing.Place | None = invoicing.Place()
    while place is not None:
        if stop.is_set():
            raise TryLaterError(0)
        async with database.transaction(tenant) as tx:
            place = await invoicing.simulate_some(tx, simulation, place, report)
    async with database.transaction(tenant) as tx:
        await invoicing.complete_simulation(tx, simulation, report)
