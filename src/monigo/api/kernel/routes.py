"""What every tenant route does around its handler: who calls, one transaction, answered once."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from monigo.api.kernel.bodies import HeldBodies
from monigo.api.kernel.declarations import Kind, declaration_of
from monigo.api.kernel.errors import as_domain_error, error_response
from monigo.api.kernel.idempotency import Attempt
from monigo.api.kernel.local_days import with_local_days
from monigo.api.kernel.paths import decoded
from monigo.api.kernel.principals import authenticate, authorized
from monigo.api.kernel.rate_limit import limited
from monigo.api.kernel.requests import JsonRequest, check_face, read_request
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.permissions import Permission
from monigo.infra.database import Transaction
from monigo.tenancy import KeyReference

# A client that trickles its body, or a handler that hangs, must not hold on for ever. It is also
# how long a running request may block others with its Idempotency-Key.
REQUEST_TIMEOUT_SECONDS = 60

Handler = Callable[[Request], Awaitable[Response]]


class TenantRoute(APIRoute):
    """A route that acts for the caller's tenant, as its endpoint declares.

    The body is read before a transaction begins, so that a slow client holds no connection; but
    of a key that may not do this, no more than a few kB are. The key is checked inside it, too, so
    that a revoked one ends at once.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = declaration_of(endpoint)
        permission = None if declared is None else declared.permission
        if declared is None or permission is None or declared.kind is Kind.RAW:
            raise TypeError(f"the route {path} of a tenant declares neither kind nor permission")
        self._permission = permission
        super().__init__(path, endpoint, **options)
        # Told with the operation, so that whoever makes a key knows what it needs.
        self.openapi_extra = {**(self.openapi_extra or {}), "x-permission": permission.value}

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler that FastAPI made, wrapped."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request.scope["path_params"] = decoded(request.path_params)
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                    return await _respond(request, self._permission, handle)
            except TimeoutError as error:
                raise _timed_out() from error
            except ClientDisconnect:
                return Response(status_code=400)  # Nobody is there to read it.
            except Exception as error:  # noqa: BLE001 - raised again, by its better name if it has one
                known = as_domain_error(error)
                try:
                    if known is None or known is error:
                        raise
                    raise known from error
                finally:
                    del known  # Its traceback holds this frame: a circle would keep the body.

        return handler


async def _respond(request: Request, permission: Permission, handle: Handler) -> Response:
    services: Services = request.app.state.services
    bodies: HeldBodies = request.app.state.bodies
    caller = await authenticate(services, request)

    async def check() -> None:
        await services.keys.check(caller, permission)

    async def respond() -> Response:
        with bodies.hold(caller.tenant.org_id) as held:
            try:
                read = await read_request(request, held, check)
                await check_face(read, caller.tenant)
            except DomainError:
                await check()  # A key that counts no more is told nothing else.
                raise
            return await _respond_to(caller, read, permission, handle)

    return await limited(services, caller, respond)


async def _respond_to(
    caller: KeyReference, request: JsonRequest, permission: Permission, handle: Handler
) -> Response:
    services: Services = request.app.state.services
    async with services.database.transaction(caller.tenant) as begun:
        tx = request.state.tx = await authorized(services, begun, caller, permission)
        attempt = request.state.attempt = await Attempt.of(tx, request)
        answer = partial(with_local_days, tx, lambda: handle(request))
        if attempt is None:
            return await answer()
        replayed = await attempt.replay(tx)
        if replayed is not None:
            return replayed
        await tx.savepoint()
        try:
            response = await answer()
        except Exception as error:
            refusal = _kept_refusal(attempt, error)
            if refusal is None:
                raise
            await tx.rollback_to_savepoint()
            response = refusal
        await attempt.record(tx, response)
        return response


def _kept_refusal(attempt: Attempt, error: Exception) -> Response | None:
    """The answer to an error that a repeat of the request gets, too; None for other errors."""
    known = as_domain_error(error)
    response = None if known is None else error_response(known)
    return response if response is not None and attempt.keeps(response.status_code) else None


def _timed_out() -> DomainError:
    return DomainError(
        ErrorKind.UNAVAILABLE,
        "timed_out",
        "the request took too long and changed nothing",
        retry_after_seconds=1,
    )


# Async, because FastAPI sends plain functions to a thread.
async def _transaction(request: Request) -> Transaction:
    return request.state.tx


Tx = Annotated[Transaction, Depends(_transaction)]
