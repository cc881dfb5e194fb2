"""A request whose body has arrived, with the headers that the kernel reads."""

import json as stdlib_json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from msgspec import Struct

from monigo.api.kernel.http.bodies import BodyReader, Check
from monigo.core.errors import DomainError, ErrorKind, invalid
from monigo.core.ids import parse_id
from monigo.infra import json
from monigo.infra.db import Tenant

# No entity of the contract comes near; only ingest takes more.
BODY_BYTES_MAX = 1024 * 1024

# What the framework makes of an endpoint.
Handler = Callable[[Request], Awaitable[Response]]


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


async def read_request(
    request: Request, reader: BodyReader, check: Check, *, bytes_max: int = BODY_BYTES_MAX
) -> JsonRequest:
    """The request with its body, which stays in memory until the response.

    Raises:
        DomainError: as `BodyReader.read`.
    """
    body = await reader.read(request, bytes_max, check)
    copy = JsonRequest(request.scope, request.receive)
    copy._body = body  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - where Starlette keeps it
    return copy


class Named(Struct, frozen=True):
    """The organisation and mode that a request names; of several spellings, all."""

    org_ids: tuple[object, ...]
    modes: tuple[bool, ...]


async def named_in(request: JsonRequest) -> Named:
    """What a request under /api/v1 names in its path, query and body.

    Raises:
        DomainError: invalid (is_test).
    """
    named: list[object] = [request.path_params.get("org_id"), request.query_params.get("org_id")]
    asked = request.query_params.get("is_test")
    if asked not in {None, "", "true", "false"}:
        raise invalid({"is_test": "must be true or false"})
    modes = [asked == "true"] if asked else []
    if await request.body():
        try:
            body = await request.json()
        except stdlib_json.JSONDecodeError:
            body = None  # The handler reports its faults.
        if isinstance(body, dict):
            named.append(body.get("org_id"))
            if isinstance(body.get("is_test"), bool):
                modes.append(body["is_test"])
    return Named(tuple(org_id for org_id in named if org_id), tuple(modes))


async def check_face(request: JsonRequest, tenant: Tenant) -> None:
    """Under /api/v1 a request may name its organisation and mode: they must be the key's own.

    Raises:
        DomainError: forbidden; invalid.
    """
    if not request.scope["path"].startswith("/api/v1/"):
        return
    named = await named_in(request)
    for org_id in named.org_ids:
        if parse_id(org_id) != tenant.org_id:
            raise DomainError(
                ErrorKind.FORBIDDEN, "other_organization", "this API key is not of that org_id"
            )
    if named.modes and named.modes[0] != tenant.is_test:
        raise DomainError(
            ErrorKind.FORBIDDEN, "other_mode", "this API key acts in its own mode only"
        )


# Declare in /openapi.json what `check_face` reads.
async def _named_tenant(
    org_id: Annotated[
        str | None,
        Query(description="the organisation; a key's own, or one that the person belongs to"),
    ] = None,
    is_test: Annotated[
        str | None,
        Query(
            description="a key's own mode, if named; a person's choice, live unless it is true",
            json_schema_extra={"enum": ["true", "false"]},
        ),
    ] = None,
) -> None:
    del org_id, is_test


async def _organization_in_path(
    org_id: Annotated[str, Path(description="the organisation")],
) -> None:
    del org_id


named_tenant = Depends(_named_tenant)
organization_in_path = Depends(_organization_in_path)

# Declares the credential in /openapi.json; `authenticate` is what checks it.
bearer = Security(
    HTTPBearer(
        auto_error=False,
        description="API key: mk_test_… or mk_live_…; under /api/v1 a person's access token, too",
    )
)
