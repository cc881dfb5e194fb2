"""Keeps test modes going whose time is a test clock's."""

from monigo import tenancy
from monigo.bootstrap import TEST_CLOCK_WORK, Services
from monigo.infra.database import Tenant
from monigo.jobs.tenants import serve_each


async def keep_test_clocks(services: Services) -> None:
    """Do what is due where clocks stand, and go on with those that a dead process left behind."""

    async def keep_up(tenant: Tenant) -> None:
        await tenancy.keep_up(services.database, tenant, TEST_CLOCK_WORK)

    await serve_each(await tenancy.tenants_with_test_clock(services.database), keep_up)
