"""What the three protocols have in common: how a request is read, answered, and spoilt."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monigo.infra import json
from monigo.providers.simulator.books import Merchant
from monigo.providers.simulator.engine import EventOf, Simulator
from monigo.providers.simulator.script import Scripted

# Under this name the server puts the connection into a request's scope.
TRANSPORT = "simulator.transport"
_BODY_BYTES_MAX = 1024 * 1024
_BANKS = {
    "044": "Access Bank",
    "058": "Guaranty Trust Bank",
    "011": "First Bank of Nigeria",
    "057": "Zenith Bank",
    "232": "Sterling Bank",
    "035": "Wema Bank",
    "50515": "Moniepoint",
    "999992": "OPay",
}
BANKS = [{"code": code, "name": name} for code, name in _BANKS.items()]
# The names of the owners of accounts.
_NAMES = ("ADA OBI", "BOLA ADE", "CHIDI EZE", "DAYO BELLO", "EFE OKORO", "FEMI LAWAL")
ACCOUNT_LENGTH = 10
# What the providers' test modes take as a one-time password.
OTP = "123456"
BLACKLISTED = "0690000036"


class Reply(Struct, frozen=True):
    """What is answered: an object of JSON, or a text that is none."""

    status: int
    body: Any


class Ask(Struct, frozen=True):
    """A request as a handler sees it."""

    simulator: Simulator
    merchant: Merchant
    body: dict[str, Any]
    path: dict[str, str]
    query: dict[str, str]
    verb: str
    scripted: Scripted | None

    @property
    def outcome(self) -> str:
        """What is scripted for it; empty for nothing."""
        return self.scripted.outcome if self.scripted else ""

    def text(self, *names: str) -> str:
        """A field of the body, by the first of its names that it has."""
        return next((str(self.body[name]) for name in names if self.body.get(name)), "")

    def count(self, *names: str, usual: int, most: int = 10**9) -> int:
        """A whole number of the query, by the first of its names that it has."""
        given = next((self.query[name] for name in names if name in self.query), "")
        return min(int(given[:9]), most) if given.isdecimal() else usual

    def number(self, name: str) -> Decimal | None:
        """A field of the body that is a number above zero."""
        return number_of(self.body.get(name))


class Shapes(Struct, frozen=True):
    """How a provider refuses, and who is asking."""

    provider: str
    error: Callable[[int, str, str], Reply]
    duplicate: Callable[[str], Reply]
    merchant: Callable[[Simulator, Request], Merchant | None]
    unauthorized: Reply


Handler = Callable[[Ask], Awaitable[Reply]]
# Method, path, verb (several by `|`: any of them is scripted), and what answers.
RouteOf = tuple[str, str, str, Handler]
_NOT_FOUND, _TOO_MANY, _ERROR, _OK = 404, 429, 500, 200
# Of these a delay is when something happens afterwards.
_LATER = frozenset({"pending", "reversed_later", "needs_action"})
# Nothing is done of what is answered by these.
_BEFORE = {
    "not_found": (_NOT_FOUND, "not_found", "Not found"),
    "429": (_TOO_MANY, "rate_limited", "Too many requests"),
    "200_error": (_OK, "unknown", "An error occurred"),
}


class Protocol(Struct, frozen=True):
    """How one provider speaks. `base` is the path that its routes lie under."""

    shapes: Shapes
    base: str
    routes: tuple[RouteOf, ...]
    event: EventOf
    is_retried: bool


def route(shapes: Shapes, simulator: Simulator, made: RouteOf) -> Route:
    """A route of a provider, whose answers can be scripted under its verb."""
    method, path, verb, handler = made

    async def endpoint(request: Request) -> Response:
        merchant = shapes.merchant(simulator, request)
        if merchant is None:
            return _response(shapes.unauthorized)
        body = await _body(request)
        if body is None:
            return _response(shapes.error(400, "invalid_params", "Invalid JSON"))
        scripted = simulator.script.take(shapes.provider, verb.split("|"))
        query = dict(request.query_params)
        asked = Ask(simulator, merchant, body, request.path_params, query, verb, scripted)
        if scripted and scripted.delay_ms and scripted.outcome not in _LATER:
            await asyncio.sleep(scripted.delay_ms / 1000)
        if asked.outcome == "drop_before":
            return await _drop(request)
        if asked.outcome in _BEFORE:
            return _response(shapes.error(*_BEFORE[asked.outcome]))
        reply = await handler(asked)
        if asked.outcome == "drop_after_commit":
            return await _drop(request)
        return _spoilt(shapes, asked) or _response(reply)

    return Route(path, endpoint, methods=[method])


def _spoilt(shapes: Shapes, ask: Ask) -> Response | None:
    """Another answer than what was done deserves, if that is scripted."""
    match ask.outcome:
        case "500":
            page = "<h1>Internal Server Error</h1>"
            return Response(page, _ERROR, media_type="text/html")
        case "not_json":
            return Response("<html>busy</html>", media_type="text/html")
        case "duplicate_reference":
            return _response(shapes.duplicate(ask.verb))
        case _:
            return None


async def _body(request: Request) -> dict[str, Any] | None:
    raw = await request.body()
    if not raw:
        return {}
    if len(raw) > _BODY_BYTES_MAX:
        return None
    try:
        body = json.decode(raw)
    except (JSONDecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


def _response(reply: Reply) -> Response:
    return Response(json.encode(reply.body), reply.status, media_type="application/json")


async def _drop(request: Request) -> Response:
    """Close the connection without a word."""
    transport = request.scope.get(TRANSPORT)
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0)
    return Response(status_code=_ERROR)


def number_of(value: Any) -> Decimal | None:
    """A number above zero, from a number or text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def bearer(request: Request) -> str:
    """The key or token that a request shows."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value if kind == "Bearer" else ""


def holder_of(bank: str, number: str) -> str | None:
    """In whose name an account is: the same one always; None where there is none."""
    if bank not in _BANKS or len(number) != ACCOUNT_LENGTH or not number.isdecimal():
        return None
    return _NAMES[int(number) % len(_NAMES)]


def bank_name(code: str) -> str:
    """What a bank is called."""
    return _BANKS.get(code, "Some Bank")


def signed(secret: str, body: bytes) -> str:
    """HMAC-SHA512 in hexadecimal, as two of the providers sign."""
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
