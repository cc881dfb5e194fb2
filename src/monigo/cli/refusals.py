"""What the guard of connections answers in place of the application, each time the last word.

As every error it is JSON with a code, and web pages of allowed origins can read it.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from monigo.api.kernel.http.browsers import PROTECTED, CrossOrigin, Header
from monigo.api.kernel.http.errors import plain_error
from monigo.api.kernel.wire.outgoing import Answer

_COME_AGAIN = {"Retry-After": "1"}

TOO_LARGE = plain_error(431, "headers_too_large", "the headers are too large")
NO_HOST = plain_error(400, "host_required", "a request names its host once, in a Host header")
MALFORMED = plain_error(400, "malformed_request", "the request is not valid HTTP")
TOO_MANY = plain_error(
    429, "too_many_connections", "too many connections from this address", _COME_AGAIN
)
OVERLOADED = plain_error(503, "overloaded", "too busy to take more", _COME_AGAIN)

_HANGS_UP = (b"connection", b"close")


class Refusals:
    """Gives these answers, for web pages of certain origins."""

    def __init__(self, cross_origin: CrossOrigin) -> None:
        self._cross_origin = cross_origin

    def app(self, refusal: Answer) -> ASGIApp:
        """What answers a request so, whatever it asks for."""

        async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
            headers = self._headers(refusal, scope["headers"])
            status = refusal.status_code
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": refusal.body})

        return answer

    def written(self, refusal: Answer, asked: Sequence[Header]) -> bytes:
        """The whole answer to what is no request, with the headers that it came with so far."""
        status = refusal.status_code
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        head += [name + b": " + value for name, value in self._headers(refusal, asked)]
        return b"\r\n".join([*head, b"", bytes(refusal.body)])

    def _headers(self, refusal: Answer, asked: Sequence[Header]) -> list[Header]:
        return [
            *refusal.raw_headers,
            _HANGS_UP,
            *PROTECTED,
            *self._cross_origin.headers(asked),
        ]
