"""Bills what is due by itself: ended periods, fees in advance, what came late."""

from monigo import invoicing, metering, subscriptions, wallets
from monigo.bootstrap import Services
from monigo.core.errors import DomainError
from monigo.infra.database import Tenant
from monigo.infra.logging import logger

log = logger(__name__)


async def close_periods(services: Services) -> None:
    """Work off all that is due, slice by slice, each tenant in its turn."""
    waiting = await subscriptions.tenants_with_due(services.database, services.clock.now())
    while waiting:
        waiting = [tenant for tenant in waiting if await _close_slice(services, tenant)]


async def wake_waiting(services: Services) -> None:
    """Have those looked at again who wait for a credit that came."""
    async with services.database.lookups() as connection:
        tenants = await wallets.tenants_with_credited(connection)
    for tenant in tenants:
        await invoicing.wake_some(services.database, tenant)


async def charge_realtime(services: Services) -> None:
    """Charge realtime subscriptions whose customers' usage changed, slice by slice."""
    async with services.database.lookups() as connection:
        waiting = await metering.tenants_with_changes(connection)
    while waiting:
        waiting = [
            tenant
            for tenant in waiting
            if await invoicing.charge_some(services.database, tenant) == invoicing.CHARGED_AT_ONCE
        ]


async def _close_slice(services: Services, tenant: Tenant) -> bool:
    """One slice of a tenant's; whether there may be more."""
    try:
        return await invoicing.close_some(services.database, tenant) == invoicing.SLICE_SIZE
    except DomainError as error:
        # One tenant's trouble is not the others'.
        log.exception("periods not closed", org_id=str(tenant.org_id), reason=error.message)
        return False
