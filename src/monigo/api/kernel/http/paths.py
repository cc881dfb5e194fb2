"""Paths as they were sent: routes match on their encoded form, in one spelling.

An external id may hold a slash, a percent sign or two dots. Decoded before it is matched, it would
be taken for other segments: `a%2Fwallets` for the wallets of `a`.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.types import Scope

_PLAIN = re.compile(rb"[A-Za-z0-9/_.~-]*")
_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def encoded_path(scope: Scope) -> str | None:
    """The request's path in canonical percent-encoding, segment by segment.

    None for what is no path: a percent sign that encodes nothing, or bytes that are not UTF-8.
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    if _PLAIN.fullmatch(raw):
        return raw.decode()
    if _MALFORMED.search(raw):
        return None
    try:
        segments = [unquote_to_bytes(segment).decode() for segment in raw.split(b"/")]
    except UnicodeDecodeError:
        return None
    return "/".join(quote(segment, safe="") for segment in segments)


def decoded(parameters: Mapping[str, str]) -> dict[str, str]:
    """A path's parameters as the client means them, decoded once."""
    return {name: unquote(value, errors="strict") for name, value in parameters.items()}
