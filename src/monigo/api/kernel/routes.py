"""What every tenant route does around its handler: who calls, one transaction, answered once."""

import asyncio
import json as stdlib_json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import ClientDisconnect

from monigo import tenancy
from monigo.api.kernel.bodies import Check, HeldBodies, HeldBody
from monigo.api.kernel.errors import as_domain_error, error_response
from monigo.api.kernel.idempotency import Attempt
from monigo.api.kernel.local_days import with_local_days
from monigo.api.kernel.paths import decoded
from monigo.api.kernel.rate_limit import limited
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind, invalid
from monigo.core.ids import parse_id
from monigo.infra import json
from monigo.infra.database import Transaction
from monigo.tenancy import KeyReference, Scope

# No entity of the contract comes near; only ingest takes more.
BODY_BYTES_MAX = 1024 * 1024
# A client that trickles its body, or a handler that hangs, must not hold on for ever. It is also
# how long a running request may block others with its Idempotency-Key.
REQUEST_TIMEOUT_SECONDS = 60

Handler = Callable[[Request], Awaitable[Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def requires(*scopes: Scope) -> Callable[[Endpoint], Endpoint]:
    """Name the scopes of which an endpoint needs one.

    Without, reading needs `read`, the rest `write`.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.needed_scopes = scopes  # pyright: ignore[reportFunctionMemberAccess]
        return endpoint

    return mark


class JsonRequest(Request):
    """A request whose body is here already, and whose JSON keeps its numbers exact."""

    async def json(self) -> Any:
        """The body's value.

        Raises:
            json.JSONDecodeError: not JSON, not UTF-8, or nested beyond reason.
        """
        if not hasattr(self, "_json"):
            body = await self.body()
            try:
                self._json = json.decode(body)
            except (UnicodeDecodeError, RecursionError, ValueError) as error:
                if isinstance(error, stdlib_json.JSONDecodeError):
                    raise
                raise stdlib_json.JSONDecodeError(str(error), "", 0) from error
        return self._json


class TenantRoute(APIRoute):
    """A route that runs in one transaction of the caller's tenant.

    The body is read before the transaction begins, so that a slow client holds no connection; but
    of a key that may not do this, no more than a few kB are. The key is checked inside it, too, so
    that a revoked one ends at once. The record of an Idempotency-Key commits with its effect.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler that FastAPI made, wrapped."""
        handle = super().get_route_handler()
        marked: tuple[Scope, ...] = getattr(self.endpoint, "needed_scopes", ())

        async def handler(request: Request) -> Response:
            request.scope["path_params"] = decoded(request.path_params)
            reads = request.method in {"GET", "HEAD"}
            needed = marked or ((Scope.READ if reads else Scope.WRITE),)
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                    return await _respond(request, needed, handle)
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


async def _respond(request: Request, needed: Sequence[Scope], handle: Handler) -> Response:
    services: Services = request.app.state.services
    bodies: HeldBodies = request.app.state.bodies
    caller = await authenticate(services, request)

    async def check() -> None:
        await services.keys.check(caller, *needed)

    async def respond() -> Response:
        with bodies.hold(caller.tenant.org_id) as held:
            try:
                read = await read_request(request, held, check)
                await check_face(read, caller)
            except DomainError:
                await check()  # A key that counts no more is told nothing else.
                raise
            return await _respond_to(caller, read, needed, handle)

    return await limited(services, caller, respond)


async def _respond_to(
    caller: KeyReference, request: JsonRequest, needed: Sequence[Scope], handle: Handler
) -> Response:
    services: Services = request.app.state.services
    async with services.database.transaction(caller.tenant) as tx:
        await tenancy.authorize(tx, caller.api_key_id, *needed)
        await services.limits.of(tx)
        request.state.tx = tx
        request.state.caller = caller
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


async def authenticate(services: Services, request: Request) -> KeyReference:
    """Where the bearer's key belongs.

    Raises:
        DomainError: unauthenticated.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    reference = await services.keys.find(secret) if scheme.lower() == "bearer" else None
    if reference is None:
        raise tenancy.unauthenticated()
    return reference


async def read_request(request: Request, held: HeldBody, check: Check) -> JsonRequest:
    """The request with its body, which is held until the answer.

    Raises:
        DomainError: as `HeldBody.read`.
    """
    body = await held.read(request, BODY_BYTES_MAX, check)
    copy = JsonRequest(request.scope, request.receive)
    copy._body = body  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - where Starlette keeps it
    return copy


async def check_face(request: JsonRequest, caller: KeyReference) -> None:
    """Under /api/v1 a request may name its organisation and mode: they must be the key's own.

    Raises:
        DomainError: forbidden; invalid.
    """
    if not request.scope["path"].startswith("/api/v1/"):
        return
    named = [request.query_params.get("org_id")]
    mode: object = request.query_params.get("is_test")
    if await request.body():
        try:
            body = await request.json()
        except stdlib_json.JSONDecodeError:
            body = None  # The handler tells what is wrong with it.
        if isinstance(body, dict):
            named.append(body.get("org_id"))
            if isinstance(body.get("is_test"), bool):
                mode = mode or str(body["is_test"]).lower()
    for org_id in named:
        if org_id and parse_id(org_id) != caller.tenant.org_id:
            raise DomainError(
                ErrorKind.FORBIDDEN, "other_organization", "this API key is not of that org_id"
            )
    if mode not in {None, "", "true", "false"}:
        raise invalid({"is_test": "must be true or false"})
    if mode and (mode == "true") != caller.tenant.is_test:
        raise DomainError(
            ErrorKind.FORBIDDEN, "other_mode", "this API key acts in its own mode only"
        )


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


def _caller(request: Request) -> KeyReference:
    return request.state.caller


Tx = Annotated[Transaction, Depends(_transaction)]
Caller = Annotated[KeyReference, Depends(_caller)]


# Declare in /openapi.json what `check_face` reads.
async def _named_tenant(
    org_id: Annotated[str | None, Query(description="the key's organisation, if named")] = None,
    is_test: Annotated[
        str | None,
        Query(
            description="the key's mode, if named",
            json_schema_extra={"enum": ["true", "false"]},
        ),
    ] = None,
) -> None:
    del org_id, is_test


named_tenant = Depends(_named_tenant)

# Declares the credential in /openapi.json; TenantRoute is what checks it.
bearer = Security(HTTPBearer(auto_error=False, description="API key: mk_test_… or mk_live_…"))
