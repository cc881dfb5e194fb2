"""Gives back what reservations held too long, and takes back what credits are over."""

from monigo import wallets
from monigo.bootstrap import Services
from monigo.infra.database import Tenant


async def expire_wallets(services: Services) -> None:
    """Let reservations and credits expire, tenant by tenant."""
    for org_id in await services.database.organization_ids():
        for is_test in (True, False):
            await wallets.expire_all(services.database, Tenant(org_id, is_test))
