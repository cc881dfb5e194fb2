"""Credits and debits as bare ASGI, because platforms send them as fast as they can.

Requests of a tenant go together (`wallets.MovementBatcher`). One with an Idempotency-Key, and one
of a person, needs a transaction of its own, and goes through the framework.
"""

import json as stdlib_json
import re
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monigo.api.kernel.changes import call_of
from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.requests import JsonRequest, check_face, read_request
from monigo.api.kernel.routes.principals import authenticate, looks_like_token
from monigo.api.kernel.routes.rate_limit import limited
from monigo.api.kernel.routes.raw import answer_raw
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.merchant.wallets.movements.schemas import CreditIn, DebitIn, MovementOut
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, not_found
from monigo.core.ids import WalletId, parse_id
from monigo.infra.addresses import ClientAddresses
from monigo.tenancy import KeyReference
from monigo.wallets import MOVE_PERMISSIONS, Direction, Movement

_PATH = re.compile(r"(/v1|/api/v1)/wallets/([^/]+)/(credit|debit)")
_BODIES: dict[Direction, type[DebitIn]] = {Direction.CREDIT: CreditIn, Direction.DEBIT: DebitIn}


class MovementsRoute:
    """POST …/wallets/{wallet_id}/credit and …/debit. A 200 means that the money moved, on disk."""

    permissions = frozenset(MOVE_PERMISSIONS.values())
    path_format = "/v1/wallets/{wallet_id}/{direction}"

    def __init__(self, services: Services, memory: BodyMemory, addresses: ClientAddresses) -> None:
        self._services = services
        self._memory = memory
        self._addresses = addresses

    def takes(self, scope: Scope) -> bool:
        """Whether a request is for this route."""
        return (
            scope["method"] == "POST"
            and _PATH.fullmatch(scope["path"]) is not None
            and not any(map(_needs_framework, scope["headers"]))
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        await answer_raw(scope, receive, send, lambda: self._respond(request))

    async def _respond(self, request: Request) -> Response:
        caller = await authenticate(self._services, request)
        return await limited(self._services, caller, lambda: self._move(caller, request))

    async def _move(self, caller: KeyReference, request: Request) -> Response:
        found = _PATH.fullmatch(request.scope["path"])
        direction = Direction(found[3]) if found else Direction.CREDIT

        async def check() -> None:
            await self._services.keys.check(caller, MOVE_PERMISSIONS[direction])

        with self._memory.reader(caller.tenant.org_id) as reader:
            try:
                read = await read_request(request, reader, check)
                await check_face(read, caller.tenant)
                movement = await _movement(read)
            except (DomainError, RequestValidationError):
                await check()  # An invalid key gets no other answer.
                raise
            call = call_of(
                request.scope,
                self._addresses,
                action=f"{direction.value}_wallet",
                path=f"{found[1] if found else ''}/wallets/{{wallet_id}}/{direction.value}",
                permission=MOVE_PERMISSIONS[direction],
            )
            result = await self._services.movements.move(caller, movement, call)
        return Answer(MovementOut.of(caller.tenant, result))


def _needs_framework(header: tuple[bytes, bytes]) -> bool:
    """Whether a header requires a transaction of its own for the request."""
    name, value = header
    is_token = name == b"authorization" and looks_like_token(value.decode("latin-1"))
    return is_token or name == b"idempotency-key"


async def _movement(request: JsonRequest) -> Movement:
    """What is asked for, read as the framework would read it: every fault at once.

    Raises:
        DomainError: not_found (wallet), when the path holds no id.
        RequestValidationError: with the faults.
    """
    found = _PATH.fullmatch(request.scope["path"])
    wallet_id = parse_id(found[2]) if found else None
    direction = Direction(found[3]) if found else Direction.CREDIT
    if wallet_id is None:
        raise not_found("wallet")
    faults: list[Any] = []
    body = None
    try:
        body = _BODIES[direction].model_validate(await request.json())
    except ValidationError as error:
        faults += [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
    except stdlib_json.JSONDecodeError:
        kind = "json_invalid" if await request.body() else "missing"
        faults.append({"type": kind, "loc": ("body",), "msg": "is not valid JSON"})
    if body is None:
        raise RequestValidationError(faults)
    return body.movement(WalletId(wallet_id), direction)
