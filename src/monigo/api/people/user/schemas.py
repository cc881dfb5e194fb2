"""A person's own account on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Outgoing
from monigo.api.people.auth.schemas import CODE_EXAMPLE, UserOut
from monigo.people import Setup, State


class ProfileIn(Incoming):
    """What a person may change of themselves."""

    full_name: Name = Field(examples=["Ada Obi"])


class CodeIn(Incoming):
    """A code of the authenticator app, or a recovery code."""

    code: Name = Field(examples=CODE_EXAMPLE)


class ProfileOut(Outgoing, frozen=True):
    """A person."""

    user: UserOut


class SecondFactorOut(Outgoing, frozen=True):
    """Whether a second factor is asked for at log-in."""

    is_on: bool
    recovery_codes_left: int

    @classmethod
    def of(cls, state: State) -> Self:
        """The wire form."""
        return cls(is_on=state.is_on, recovery_codes_left=state.recovery_codes_left)


class SetupOut(Outgoing, frozen=True):
    """The secret to set up an authenticator app with; shown once."""

    secret: str
    uri: Annotated[str, Meta(description="for a QR code", examples=["otpauth://totp/…"])]

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """The wire form."""
        return cls(secret=setup.secret, uri=setup.uri)


class RecoveryCodesOut(Outgoing, frozen=True):
    """Codes for a person without the app, each for one log-in; shown once."""

    recovery_codes: list[str]
