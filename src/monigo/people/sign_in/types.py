"""What a person gets who is half signed in."""

from msgspec import Struct


class Challenged(Struct, frozen=True):
    """A token to sign in with by the second factor, after the password was right."""

    challenge: str
