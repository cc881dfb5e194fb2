"""Keeps test modes going whose time is a test clock's."""

from monigo import tenancy
from monigo.bootstrap import TEST_CLOCK_WORK, Services
from monigo.infra.database import as_unavailable


async def keep_test_clocks(services: Services) -> None:
    """Do what is due where clocks stand, and go on with those that a dead process left behind.

    Raises:
        ExceptionGroup: what went wrong for some tenants, after the others were served.
    """
    faults: list[Exception] = []
    for tenant in await tenancy.tenants_with_test_clock(services.database):
        try:
            await tenancy.keep_up(services.database, tenant, TEST_CLOCK_WORK)
        except Exception as error:
            if as_unavailable(error) is not None:
                raise
            faults.append(error)
    if faults:
        raise ExceptionGroup("some tenants' test clocks could not be kept going", faults)
