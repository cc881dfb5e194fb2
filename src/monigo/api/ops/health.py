"""Is the process alive, and can it work?"""

from datetime import timedelta

from fastapi import APIRouter, Request

from monigo import metering
from monigo.api.kernel.http.errors import ErrorBody, error_response
from monigo.api.kernel.routes.answering import AnsweringRoute
from monigo.api.kernel.routes.declarations import public
from monigo.api.kernel.wire.openapi import described
from monigo.api.kernel.wire.outgoing import Answer, Outgoing
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.db import MigrationError, as_unavailable, check_schema

router = APIRouter(route_class=AnsweringRoute, tags=["operations"])


class Health(Outgoing, frozen=True):
    """A process that answers."""

    status: str


@router.get("/healthz")
@public
async def healthz() -> Health:
    """The process is alive."""
    return Health(status="ok")


@router.get(
    "/readyz",
    response_model=Health,
    responses={503: described(ErrorBody, "A part that it names is not ready.")},
)
@public
async def readyz(request: Request) -> Health | Answer:
    """The process can work: its database answers, has its schema, and usage is added up."""
    services: Services = request.app.state.services
    try:
        await _check(services)
    except Exception as error:
        known = error if isinstance(error, DomainError) else as_unavailable(error)
        if known is None:
            raise
        return error_response(known)
    return Health(status="ready")


async def _check(services: Services) -> None:
    """Raise unavailable, naming the part that is not ready."""
    async with services.database.lookups() as connection:
        try:
            await check_schema(connection)
        except MigrationError as error:
            raise DomainError(ErrorKind.UNAVAILABLE, "other_schema", str(error)) from error
    lag = await metering.fold_lag(services.database)
    most = timedelta(seconds=services.settings.fold_lag_seconds_max)
    if lag > most:
        raise DomainError(
            ErrorKind.UNAVAILABLE,
            "usage_not_added_up",
            f"events wait {lag.total_seconds():.0f} seconds to be added up,"
            f" more than {most.total_seconds():.0f}: is a worker running?",
        )
