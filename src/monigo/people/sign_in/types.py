"""What a person gets who is half signed in, and what they show to be so wholly."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Challenged(Struct, frozen=True):
    """A token to sign in with by the second factor, after the password was right."""

    challenge: str


class Shown(Struct, frozen=True):
    """What somebody shows as a second factor: a code, or what a passkey signed."""

    code: str | None = None
    passkey: Mapping[str, Any] | None = None
