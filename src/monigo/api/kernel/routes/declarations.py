"""What each route says of itself: its kind, the permission that its callers need, what it changes.

Nothing is guessed from a route's path. A route that says nothing is refused when the application is
put together.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, TypeVar, get_type_hints

from fastapi import Request, Response
from msgspec import Struct

from monigo.api.kernel.changes import Audited, Unaudited
from monigo.bootstrap import Services
from monigo.core.access import Permission, Principal
from monigo.infra.db import Tenant, Transaction

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Intent = TypeVar("Intent")
Outcome = TypeVar("Outcome")


class Kind(StrEnum):
    """How a route's work is held together."""

    # In one transaction of the tenant.
    ATOMIC = "atomic"
    # In two, and calls to the outside between them.
    STAGED = "staged"
    # By the route itself.
    RAW = "raw"


class Outside(Struct, frozen=True):
    """What a call to the outside works with. It runs in no transaction; what it opens is its own.

    The services' transactions are the caller's, `principal`.
    """

    services: Services
    tenant: Tenant
    principal: Principal
    request: Request


class Stages(Struct, frozen=True):
    """What a staged route does after the transaction in which its endpoint made the intent.

    `call` may be run again for the same intent, after a process died or a call failed: it must have
    the same effect outside, however often. Only what `record` returns is kept for repeats: a final
    answer as it is; after another refusal (402) a repeat starts over, after 5xx it resumes with the
    same intent.
    """

    intent_type: Any
    call: Callable[[Outside, Any], Awaitable[Any]]
    record: Callable[[Transaction, Any, Any], Awaitable[Response]]


class Declaration(Struct, frozen=True):
    """A route's kind, and the permission that its callers need; None where anybody may call it."""

    kind: Kind
    permission: Permission | None
    stages: Stages | None = None
    has_secret: bool = False
    changes: Audited = None


def atomic(
    permission: Permission, *, changes: Audited = None, has_secret: bool = False
) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint that works in one transaction of the caller's tenant.

    The record of an Idempotency-Key, and the audit entry of what the route `changes`, commit with
    the effect. With `has_secret` the response is stored encrypted, because it contains a secret
    that only the caller may know.
    """
    return _declared(Declaration(Kind.ATOMIC, permission, has_secret=has_secret, changes=changes))


def staged(
    permission: Permission,
    *,
    changes: Audited,
    call: Callable[[Outside, Intent], Awaitable[Outcome]],
    record: Callable[[Transaction, Intent, Outcome], Awaitable[Response]],
) -> Callable[[Callable[..., Awaitable[Intent]]], Callable[..., Awaitable[Intent]]]:
    """Declare an endpoint that makes an intent, whose outcome lies outside the database.

    The endpoint runs in a first transaction and returns the intent: a struct that can be written as
    JSON, for it is stored with an Idempotency-Key's claim. Then `call` acts on it, in no
    transaction; then `record` writes down the outcome in a last one, and answers. A refusal of the
    endpoint undoes the first transaction and is kept like any route's. Once it has committed, a
    repeat with the key never makes another intent: it waits for the holder, or takes the intent
    over. What the endpoint `changes` is audited with the intent, once, whatever the outcome; what
    `record` changes, with that. The route declares its response's shape as `response_model`.
    """

    def declare(endpoint: Callable[..., Awaitable[Intent]]) -> Callable[..., Awaitable[Intent]]:
        intent_type = get_type_hints(endpoint).get("return", Any)
        stages = Stages(intent_type, call, record)
        return _declared(Declaration(Kind.STAGED, permission, stages, changes=changes))(endpoint)

    return declare


def raw(permission: Permission, *, changes: Unaudited) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint that begins its transactions itself, and checks its caller in them.

    For what counts tries that fail, and what waits for a password to be hashed; nothing of an
    organisation's.
    """
    return _declared(Declaration(Kind.RAW, permission, changes=changes))


def public(endpoint: Endpoint) -> Endpoint:
    """Declare an endpoint that anybody may call and that touches nobody's data."""
    return _declared(Declaration(Kind.RAW, None))(endpoint)


def declaration_of(endpoint: object) -> Declaration | None:
    """What an endpoint declared; None where it declared nothing."""
    return getattr(endpoint, "declaration", None)


def _declared(declaration: Declaration) -> Callable[[Endpoint], Endpoint]:
    def declare(endpoint: Endpoint) -> Endpoint:
        endpoint.declaration = declaration  # pyright: ignore[reportFunctionMemberAccess]
        return endpoint

    return declare
