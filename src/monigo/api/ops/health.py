"""Is the process alive, and can it work?"""

from fastapi import APIRouter, Request

from monigo.api.kernel.http.errors import ErrorBody, error_response
from monigo.api.kernel.routes.answering import AnsweringRoute
from monigo.api.kernel.routes.declarations import public
from monigo.api.kernel.wire.openapi import described
from monigo.api.kernel.wire.outgoing import Answer, Outgoing
from monigo.bootstrap import Services
from monigo.infra.db import as_unavailable

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
    responses={503: described(ErrorBody, "The database is not available.")},
)
@public
async def readyz(request: Request) -> Health | Answer:
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
