"""Bills what is due by itself: ended periods, fees in advance, what came late."""

from monigo import invoicing, subscriptions
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


async def _close_slice(services: Services, tenant: Tenant) -> bool:
    """One slice of a tenant's; whether there may be more."""
    try:
        return await invoicing.close_some(services.database, tenant) == invoicing.SLICE_SIZE
    except DomainError as error:
        # One tenant's trouble is not the others'.
        log.exception("periods not closed", org_id=str(tenant.org_id), reason=error.message)
        return False
