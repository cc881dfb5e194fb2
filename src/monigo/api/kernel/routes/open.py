"""Open routes: no credential is needed; bodies are small, and share one bound of memory."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.requests import ClientDisconnect

from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.errors import as_domain_error
from monigo.api.kernel.http.requests import read_request
from monigo.api.kernel.routes.answering import AnsweringRoute
from monigo.api.kernel.routes.declarations import declaration_of
from monigo.api.kernel.routes.tenant import REQUEST_TIMEOUT_SECONDS, timed_out
from monigo.bootstrap import Services
from monigo.infra.db import INSTALLATION
from monigo.people import Origin, People

# An e-mail, a name, a password.
BODY_BYTES_MAX = 16 * 1024


class OpenRoute(AnsweringRoute):
    """A route that anybody may call. All its callers share one account of body memory."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = declaration_of(endpoint)
        if declared is None or declared.permission is not None:
            raise TypeError(f"the route {path} is open, which its endpoint does not declare")
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler that FastAPI made, wrapped."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            memory: BodyMemory = request.app.state.body_memory
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                    with memory.reader(INSTALLATION.org_id) as reader:
                        return await handle(
                            await read_request(request, reader, _nobody, bytes_max=BODY_BYTES_MAX)
                        )
            except TimeoutError as error:
                raise timed_out() from error
            except ClientDisconnect:
                return Response(status_code=400)  # Nobody is there to read it.
            except Exception as error:
                known = as_domain_error(error)
                if known is None or known is error:
                    raise
                raise known from error

        return handler


async def _nobody() -> None:
    """There is no credential to check."""


# Async, because FastAPI sends plain functions to a thread.
async def _people(request: Request) -> People:
    services: Services = request.app.state.services
    return services.people


async def _origin(request: Request) -> Origin:
    peer = (request.client.host, request.client.port) if request.client else None
    address = request.app.state.addresses.of_request(peer, request.scope["headers"])
    return Origin(address, request.headers.get("user-agent", ""))


PeopleOfProcess = Annotated[People, Depends(_people)]
OriginOfRequest = Annotated[Origin, Depends(_origin)]
