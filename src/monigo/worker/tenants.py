"""How periodic jobs serve many tenants: one tenant's trouble is not the others'."""

from collections.abc import Awaitable, Callable, Iterable

from monigo.bootstrap import Services
from monigo.infra.database import Tenant, as_unavailable


async def serve_each(
    tenants: Iterable[Tenant], work: Callable[[Tenant], Awaitable[object]]
) -> None:
    """Do a job's work for each tenant, one after the other.

    Raises:
        ExceptionGroup: what went wrong for some tenants, after the others were served.
        Exception: the database is away, at once.
    """
    faults: list[Exception] = []
    for tenant in tenants:
        try:
            await work(tenant)
        except Exception as error:
            if as_unavailable(error) is not None:
                raise
            faults.append(of_tenant(error, tenant))
    raise_all(faults)


def of_tenant(error: Exception, tenant: Tenant) -> Exception:
    """The error with its tenant named, to be raised after the others were served."""
    error.add_note(f"organisation {tenant.org_id}, is_test {tenant.is_test}")
    return error


def raise_all(faults: list[Exception]) -> None:
    """Raise what went wrong for some tenants, if anything did."""
    if faults:
        raise ExceptionGroup("some tenants could not be served", faults)


async def all_tenants(services: Services) -> list[Tenant]:
    """Every organisation in both modes."""
    return [
        Tenant(org_id, is_test)
        for org_id in await services.database.organization_ids()
        for is_test in (True, False)
    ]
