"""Gives back what reservations held too long, and takes back what credits are over."""

from monigo.bootstrap import CREDIT_EXPIRY, RESERVATION_EXPIRY, Services
from monigo.infra.database import Tenant
from monigo.jobs.tenants import all_tenants, serve_each


async def expire_wallets(services: Services) -> None:
    """Let reservations and credits expire, tenant by tenant."""

    async def expire(tenant: Tenant) -> None:
        await RESERVATION_EXPIRY.run(services.database, tenant)
        await CREDIT_EXPIRY.run(services.database, tenant)

    await serve_each(await all_tenants(services), expire)
