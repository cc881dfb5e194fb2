"""What every answer carries for browsers: who may read it, and what they must not do with it."""

from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monigo.api.kernel.http.content_policy import STRICT_POLICY
from monigo.api.kernel.http.errors import plain_error
from monigo.api.kernel.http.paths import encoded_path

# What web pages of other origins may call. Without credentials: no cookie is sent along.
_API_PREFIXES = ("/v1/", "/api/v1/", "/openapi.json")
_METHODS = "GET, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Portal-Token, X-Request-Id"
_EXPOSED_HEADERS = (
    "Idempotent-Replayed, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy,"
    " WWW-Authenticate, Content-Disposition, ETag"
)
# How long a browser may remember what it was allowed; none keeps it longer.
_PREFLIGHT_SECONDS = 7_200

_PREFLIGHT = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": _REQUEST_HEADERS,
    "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
    "Allow": f"{_METHODS}, OPTIONS",
}
_EXPOSED = (b"access-control-expose-headers", _EXPOSED_HEADERS.encode())
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# Amounts and names of customers must not be cached; responses that may be say so by a header.
_NO_STORE = (b"cache-control", b"no-store")
# What any answer of JSON carries.
PROTECTED = (_NO_SNIFFING, _NO_STORE)
_NEVER_STORED = (b"application/json", b"text/csv")

Header = tuple[bytes, bytes]


class CrossOrigin:
    """Web pages of which origins may read an answer."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._is_open = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, asked: Sequence[Header]) -> list[Header]:
        """What an answer carries for browsers, by the headers that its request came with."""
        if self._is_open:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        by_origin = [(b"vary", b"Origin")]
        origin = next((value for name, value in asked if name == b"origin"), b"")
        if origin not in self._origins:
            return by_origin
        return [(b"access-control-allow-origin", origin), _EXPOSED, *by_origin]


class Browsers:
    """All routes, with their paths in one spelling, CORS, and protective headers.

    It stands outside everything else, so that errors carry the headers, too, and raw routes do.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._cross_origin = CrossOrigin(origins)
        self.page_policy = STRICT_POLICY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = encoded_path(scope)
        is_api = (path or scope["path"]).startswith(_API_PREFIXES)
        shared = [_NO_SNIFFING]
        if is_api:
            shared += self._cross_origin.headers(scope["headers"])

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: Sequence[Header] = message.get("headers", ())
                message["headers"] = [*headers, *shared, *self._by_content(headers)]
            await send(message)

        if path is None:
            await plain_error(404, "route_not_found", "not found")(scope, receive, protected)
        elif is_api and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, protected)
        else:
            known = scope if path == scope["path"] else {**scope, "path": path}
            await self._app(known, receive, protected)

    def _by_content(self, headers: Sequence[Header]) -> list[Header]:
        """The headers of a response of this content type, unless the response has its own."""
        sent = dict(headers)
        content = sent.get(b"content-type", b"")
        if content.startswith(_NEVER_STORED) and b"cache-control" not in sent:
            return [_NO_STORE]
        if content.startswith(b"text/html"):
            return [(b"content-security-policy", self.page_policy.encode())]
        return []
