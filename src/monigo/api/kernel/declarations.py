"""What each route says of itself: its kind, and the permission that its callers need.

Nothing is guessed from a route's method or path. A route that says nothing is refused when the
application is put together.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct

from monigo.core.permissions import Permission

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Kind(StrEnum):
    """How a route's work is held together."""

    # In one transaction of the tenant.
    ATOMIC = "atomic"
    # By the route itself.
    RAW = "raw"


class Declaration(Struct, frozen=True):
    """A route's kind, and the permission that its callers need; None where anybody may call it."""

    kind: Kind
    permission: Permission | None


def atomic(permission: Permission) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint that works in one transaction of the caller's tenant.

    The record of an Idempotency-Key commits with the effect it tells of.
    """
    return _declared(Declaration(Kind.ATOMIC, permission))


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
