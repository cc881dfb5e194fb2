"""Tenant routes: who calls, whose body is held, how long it may take, whatever kind they are."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.requests import ClientDisconnect

from monigo import tenancy
from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.errors import as_domain_error
from monigo.api.kernel.http.paths import decoded
from monigo.api.kernel.http.requests import Handler, JsonRequest, check_face, read_request
from monigo.api.kernel.routes.answering import AnsweringRoute
from monigo.api.kernel.routes.atomic import respond_atomically
from monigo.api.kernel.routes.declarations import Kind, declaration_of
from monigo.api.kernel.routes.persons import check_session, first_that_knows, tenants_of
from monigo.api.kernel.routes.principals import (
    Caller,
    PersonReference,
    authenticate_anybody,
    authorized,
)
from monigo.api.kernel.routes.rate_limit import limited
from monigo.api.kernel.routes.staged import respond_in_stages, returning_intent
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import OrganizationId
from monigo.infra.db import INSTALLATION, Transaction
from monigo.people import Claims
from monigo.tenancy import KeyReference

# A client that trickles its body, or a handler that hangs, must not hold on for ever. It is also
# how long a running request may block others with its Idempotency-Key.
REQUEST_TIMEOUT_SECONDS = 60

# How a route of a kind answers a request whose body is read.
Respond = Callable[[Caller, JsonRequest, Permission, Handler], Awaitable[Response]]


class TenantRoute(AnsweringRoute):
    """A route that acts for the caller's tenant, as its endpoint declares.

    The body is read before a transaction begins, so that a slow client holds no connection; but
    of a key that may not do this, no more than a few kB are. The key is checked inside it, too, so
    that a revoked one ends at once; a person's session and role likewise.
    """

    # Whether it touches a person's own account, of no organisation.
    is_of_persons = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = declaration_of(endpoint)
        permission = None if declared is None else declared.permission
        if declared is None or permission is None:
            raise TypeError(f"the route {path} of a tenant declares neither kind nor permission")
        if declared.changes is None and set(options.get("methods") or ()) - {"GET"}:
            raise TypeError(f"the route {path} does not only read, and declares no change to audit")
        self._permission = permission
        self._respond: Respond = partial(respond_atomically, declared)
        self._is_atomic = declared.stages is None
        if declared.kind is Kind.RAW:
            self._respond = _respond_by_itself
        if declared.stages is not None:
            endpoint = returning_intent(endpoint)
            self._respond = partial(respond_in_stages, declared)
        super().__init__(path, endpoint, **options)
        # Documented with the operation, so that people know which scopes a key needs.
        self.openapi_extra = {**(self.openapi_extra or {}), "x-permission": permission.value}

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler that FastAPI made, wrapped."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request.scope["path_params"] = decoded(request.path_params)
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                    return await self._answer(request, handle)
            except TimeoutError as error:
                raise (timed_out() if self._is_atomic else _timed_out_outside()) from error
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

    async def _answer(self, request: Request, handle: Handler) -> Response:
        services: Services = request.app.state.services
        caller = await authenticate_anybody(services, request)
        if isinstance(caller, Claims):
            return await _respond_to_person(self, request, caller, handle)
        if self.is_of_persons:
            raise tenancy.people_only()
        return await _respond_to_key(request, caller, self._permission, handle, self._respond)

    async def respond_to_person(
        self, caller: PersonReference, request: JsonRequest, handle: Handler
    ) -> Response:
        """What a person is answered who asks for this tenant."""
        return await self._respond(caller, request, self._permission, handle)


async def _respond_by_itself(
    caller: Caller, request: JsonRequest, permission: Permission, handle: Handler
) -> Response:
    """What an endpoint answers that begins its transactions itself; after one that looks."""
    services: Services = request.app.state.services
    async with services.database.transaction(caller.tenant) as tx:
        await authorized(services, tx, caller, permission)
    return await handle(request)


class PersonRoute(TenantRoute):
    """A route of a signed-in person's own account."""

    is_of_persons = True


async def _respond_to_person(
    route: TenantRoute, request: Request, claims: Claims, handle: Handler
) -> Response:
    services: Services = request.app.state.services
    memory: BodyMemory = request.app.state.body_memory
    request.state.claims = claims

    async def check() -> None:
        await check_session(services, claims)

    # Which organisation it is for may stand in the body, so that it counts for the person.
    with memory.reader(OrganizationId(claims.user_id)) as reader:
        try:
            read = await read_request(request, reader, check)
            tenants = (
                [INSTALLATION] if route.is_of_persons else await tenants_of(services, read, claims)
            )
        except DomainError:
            await check()  # A person who is not signed in any more gets no other answer.
            raise
        return await first_that_knows(
            tenants, claims, lambda caller: route.respond_to_person(caller, read, handle)
        )


async def _respond_to_key(
    request: Request,
    caller: KeyReference,
    permission: Permission,
    handle: Handler,
    respond_to: Respond,
) -> Response:
    services: Services = request.app.state.services
    memory: BodyMemory = request.app.state.body_memory

    async def check() -> None:
        await services.keys.check(caller, permission)

    async def respond() -> Response:
        with memory.reader(caller.tenant.org_id) as reader:
            try:
                read = await read_request(request, reader, check)
                await check_face(read, caller.tenant)
            except DomainError:
                await check()  # An invalid key gets no other answer.
                raise
            return await respond_to(caller, read, permission, handle)

    return await limited(services, caller, respond)


def timed_out() -> DomainError:
    """The refusal of a request that took too long, and of which nothing came."""
    return DomainError(
        ErrorKind.UNAVAILABLE,
        "timed_out",
        "the request took too long and changed nothing",
        retry_after_seconds=1,
    )


def _timed_out_outside() -> DomainError:
    return DomainError(
        ErrorKind.UNAVAILABLE,
        "timed_out",
        "the request took too long, and its outcome is not known yet",
        retry_after_seconds=1,
    )


# Async, because FastAPI sends plain functions to a thread.
async def _transaction(request: Request) -> Transaction:
    return request.state.tx


Tx = Annotated[Transaction, Depends(_transaction)]
