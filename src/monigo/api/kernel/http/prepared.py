"""Responses that are the same for everybody: made once, kept compressed, with an ETag.

They need no key, so that a flood of requests for them must cost next to nothing.
"""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

# Browsers ask again each time, and are answered 304 until the program is another.
CACHE_CONTROL = "no-cache"

_GZIP = re.compile(r"(?:^|,)\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q=([0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)


class Prepared(Struct, frozen=True):
    """A body, as it is and compressed, and the tag of its content."""

    body: bytes
    compressed: bytes
    tag: str
    media_type: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "Prepared":
        """Compress a body; takes a twentieth of a second for a megabyte."""
        tag = hashlib.sha256(body).hexdigest()[:32]
        return cls(body, gzip.compress(body, mtime=0), tag, media_type)

    def answer(self, request: Request) -> Response:
        """The body in the form that the client takes, or 304 when it has it already."""
        is_compressed = _takes_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{self.tag}-gz"' if is_compressed else f'"{self.tag}"'
        headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
        if _is_known(request.headers.get("if-none-match", ""), self.tag):
            return Response(status_code=304, headers=headers)
        if is_compressed:
            headers["Content-Encoding"] = "gzip"
        body = self.compressed if is_compressed else self.body
        return Response(body, headers=headers, media_type=self.media_type)


class PreparedOnce:
    """What is prepared when it is first asked for, in a thread, however many ask at once."""

    def __init__(self, make: Callable[[], Prepared]) -> None:
        self._make = make
        self._making: asyncio.Task[Prepared] | None = None

    async def get(self) -> Prepared:
        """What was prepared; all who ask meanwhile wait for the one thread."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._make))
        making = self._making
        try:
            # A client that hangs up must not end what others wait for.
            return await asyncio.shield(making)
        except Exception:
            if self._making is making:
                self._making = None  # The next one tries again.
            raise


def _takes_gzip(accepted: str) -> bool:
    return any(quality.strip("0.") != "" or not quality for quality in _GZIP.findall(accepted))


def _is_known(named: str, tag: str) -> bool:
    """Whether `If-None-Match` names this content, in either form."""
    tags = {part.strip().removeprefix("W/") for part in named.split(",")}
    return not tags.isdisjoint({f'"{tag}"', f'"{tag}-gz"', "*"})
