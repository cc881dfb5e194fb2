"""Is the process alive, and can it work?"""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from monigo.api.kernel.http.errors import ErrorBody, error_response
from monigo.api.kernel.routes.declarations import public
from monigo.api.kernel.wire.fields import Outgoing
from monigo.bootstrap import Services
from monigo.infra.db import as_unavailable

router = APIRouter(tags=["operations"])


class Health(Outgoing):
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
    responses={503: {"model": ErrorBody, "description": "The database is not available."}},
)
@public
async def readyz(request: Request) -> Health | JSONResponse:
    """The process can work: its database answers."""
    services: Services = request.app.state.services
    try:
        await services.database.ping()
    except Exception as error:
        known = as_unavailable(error)
        if known is None:
            raise
        return error_response(known)
    return Health(status="ready")
