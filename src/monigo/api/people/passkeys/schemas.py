"""Passkeys on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.api.people.passkeys.credentials import MadeIn
from monigo.core.ids import PasskeyId
from monigo.people import AddedPasskey, Passkey

_NAME_EXAMPLE = ["my phone"]


class PasskeyIn(Incoming):
    """A passkey that was made upon an offer, and what it shall be called."""

    name: Name = Field(examples=_NAME_EXAMPLE)
    credential: MadeIn


class RenameIn(Incoming):
    """What a passkey shall be called."""

    name: Name = Field(examples=_NAME_EXAMPLE)


class PasskeyOut(Outgoing, frozen=True):
    """A passkey."""

    id: PasskeyId
    name: str
    created_at: Instant
    last_used_at: Instant | None

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        """The wire form."""
        return cls(
            id=passkey.id,
            name=passkey.name,
            created_at=passkey.created_at,
            last_used_at=passkey.last_used_at,
        )


class OnePasskey(Outgoing, frozen=True):
    """A passkey."""

    passkey: PasskeyOut


class PasskeyList(Outgoing, frozen=True):
    """A person's passkeys, in the order in which they were made."""

    passkeys: list[PasskeyOut]
    count: int


class AddedPasskeyOut(Outgoing, frozen=True):
    """A new passkey."""

    passkey: PasskeyOut
    recovery_codes: Annotated[
        list[str],
        Meta(description="for who has lost the passkey; told once, with the first second factor"),
    ]

    @classmethod
    def of(cls, added: AddedPasskey) -> Self:
        """The wire form."""
        return cls(passkey=PasskeyOut.of(added.passkey), recovery_codes=added.recovery_codes)
