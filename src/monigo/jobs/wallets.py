"""Gives back what reservations held too long, and takes back what credits are over."""

from collections.abc import Awaitable, Callable

from monigo import wallets
from monigo.bootstrap import Services
from monigo.infra.database import Tenant, Transaction

# Of one transaction; the next goes on where there is more.
STEP = 1_000

Sweep = Callable[[Transaction, int], Awaitable[int]]
SWEEPS: tuple[Sweep, ...] = (wallets.expire_reservations, wallets.expire_credits)


async def expire_wallets(services: Services) -> None:
    """Let reservations and credits expire, tenant by tenant."""
    for org_id in await services.database.organization_ids():
        for is_test in (True, False):
            for sweep in SWEEPS:
                await _sweep(services, Tenant(org_id, is_test), sweep)


async def _sweep(services: Services, tenant: Tenant, sweep: Sweep) -> None:
    swept = STEP
    while swept == STEP:
        async with services.database.transaction(tenant) as tx:
            swept = await sweep(tx, STEP)
