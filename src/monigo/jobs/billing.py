"""Bills what is due by itself: ended periods, fees in advance, what came late."""

import asyncio
from collections.abc import Awaitable, Callable

from monigo import invoicing, metering, subscriptions, wallets
from monigo.bootstrap import SLICES_AT_ONCE, Services
from monigo.infra.database import Tenant, as_unavailable
from monigo.jobs.tenants import of_tenant, raise_all, serve_each

# Of each lane, before the next tenant has its turn.
SLICES_A_TURN = 10


async def close_periods(services: Services) -> None:
    """Work off all that is due, slice by slice, each tenant in its turn."""
    waiting = await subscriptions.tenants_with_due(services.database, services.clock.now())
    await _in_turn(waiting, lambda tenant: _close_slice(services, tenant))


async def wake_waiting(services: Services) -> None:
    """Have those looked at again who wait for a credit that came."""
    async with services.database.lookups() as connection:
        tenants = await wallets.tenants_with_credited(connection)
    await serve_each(tenants, lambda tenant: invoicing.wake_some(services.database, tenant))


async def charge_realtime(services: Services) -> None:
    """Charge realtime subscriptions whose customers' usage changed, slice by slice."""
    async with services.database.lookups() as connection:
        waiting = await metering.tenants_with_changes(connection)
    await _in_turn(waiting, lambda tenant: _charge_slice(services, tenant))


async def _in_turn(waiting: list[Tenant], work: Callable[[Tenant], Awaitable[bool]]) -> None:
    """Do slices of each tenant's work, turn by turn, while there is more of it.

    The first turn takes one slice, which is all that most tenants have. One whose work fails has
    no further turn in this pass.

    Raises:
        ExceptionGroup: what went wrong for some tenants, after the others were served.
        Exception: the database is away, at once.
    """
    lanes, slices = 1, 1
    faults: list[Exception] = []
    while waiting:
        more: list[Tenant] = []
        for tenant in waiting:
            try:
                if await _turn(tenant, work, lanes, slices):
                    more.append(tenant)
            except Exception as error:
                if as_unavailable(error) is not None:
                    raise
                faults.append(of_tenant(error, tenant))
        waiting = more
        lanes, slices = SLICES_AT_ONCE, SLICES_A_TURN
    raise_all(faults)


async def _turn(
    tenant: Tenant, work: Callable[[Tenant], Awaitable[bool]], lanes: int, slices: int
) -> bool:
    """Some slices of one tenant's work, side by side; whether there is more."""

    async def lane() -> bool:
        for _ in range(slices):
            if not await work(tenant):
                return False
        return True

    ended = await asyncio.gather(*(lane() for _ in range(lanes)), return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return all(ended)


async def _charge_slice(services: Services, tenant: Tenant) -> bool:
    """One slice of a tenant's realtime charges; whether there may be more."""
    async with services.slices:
        charged = await invoicing.charge_some(services.database, tenant)
    return charged == invoicing.CHARGED_AT_ONCE


async def _close_slice(services: Services, tenant: Tenant) -> bool:
    """One slice of a tenant's; whether there may be more."""
    async with services.slices:
        return await invoicing.close_some(services.database, tenant) == invoicing.SLICE_SIZE
