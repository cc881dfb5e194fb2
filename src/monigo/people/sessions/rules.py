"""Pure rules of sessions: refresh tokens as a chain, and what a device is called."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

ACCESS_LIFE = timedelta(minutes=15)
# From the last time that it was refreshed.
SESSION_LIFE = timedelta(days=30)
# A response may be lost, and two tabs may ask at once; who steals a token comes later than that.
GRACE = timedelta(seconds=30)
# How many rotations are remembered for that long: no client needs to refresh more often.
RECENT_ROTATIONS_MAX = 10
# Since the password was last entered, for what can do much harm.
FRESH_LIFE = timedelta(minutes=15)
USER_AGENT_LENGTH_MAX = 300

PREFIX = "mrt_"
_ID_BYTES, _GENERATION_BYTES, _MAC_BYTES = 16, 4, 32

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")


class RefreshToken(Struct, frozen=True):
    """The `generation`-th refresh token of a session; `mac` proves that we made it."""

    session_id: UUID
    generation: int
    mac: bytes

    @property
    def text(self) -> str:
        """As its bearer has it."""
        number = self.generation.to_bytes(_GENERATION_BYTES, "big")
        packed = self.session_id.bytes + number + self.mac
        return PREFIX + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def parsed_token(text: str) -> RefreshToken | None:
    """What somebody presents as a refresh token; None for what can't be one."""
    body = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or not body.isascii():
        return None
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(packed) != _ID_BYTES + _GENERATION_BYTES + _MAC_BYTES:
        return None
    rest = packed[_ID_BYTES:]
    number = int.from_bytes(rest[:_GENERATION_BYTES], "big")
    token = RefreshToken(UUID(bytes=packed[:_ID_BYTES]), number, rest[_GENERATION_BYTES:])
    return token if token.text == text else None  # One spelling, though base64 has several.


def successor(
    generation: int, *, present: int, recent_rotations: Sequence[datetime], now: datetime
) -> int | None:
    """The generation of the refresh token that replaces one; None where its reuse ends the session.

    The current token is replaced by the next. A token that was rotated within the grace period is
    replaced by the same one as before. `recent_rotations` are the times at which the tokens before
    the current one were rotated, oldest first.
    """
    if generation == present:
        return present + 1
    index = generation - present + len(recent_rotations)
    if generation < present and index >= 0 and now - recent_rotations[index] <= GRACE:
        return generation + 1
    return None


def with_rotation(recent_rotations: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """The remembered rotations after the current token is rotated at `now`."""
    kept = [at for at in recent_rotations if now - at <= GRACE]
    return (*kept, now)[-RECENT_ROTATIONS_MAX:]


def device_of(user_agent: str) -> str:
    """A name for the device, by its User-Agent."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    product = _PRODUCT.match(user_agent)
    return browser or system or (product[0] if product else "unknown device")


def kept_user_agent(user_agent: str) -> str:
    """The stored part of a User-Agent."""
    return "".join(sign for sign in user_agent if sign.isprintable())[:USER_AGENT_LENGTH_MAX]
