"""Registering and signing in on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Outgoing
from monigo.api.people.passkeys.credentials import AssertionIn
from monigo.core.access import Role
from monigo.core.ids import OrganizationId, UserId
from monigo.people import ACCESS_LIFE, MembershipOf, Shown, SignedIn, User

# Longer ones are refused before they are hashed.
_PASSWORD_LENGTH_MAX = 1_024
EMAIL_EXAMPLE = ["ada@example.com"]
CODE_EXAMPLE = ["493027"]


class RegisterIn(Incoming):
    """Who registers, and with which password."""

    email: Name = Field(examples=EMAIL_EXAMPLE)
    full_name: Name = Field(examples=["Ada Obi"])
    password: str = Field(max_length=_PASSWORD_LENGTH_MAX, examples=["four words are enough"])


class EmailIn(Incoming):
    """An e-mail."""

    email: Name = Field(examples=EMAIL_EXAMPLE)


class VerifyIn(Incoming):
    """A code that was mailed: six digits, or the token of a link."""

    email: Name = Field(examples=EMAIL_EXAMPLE)
    code: Name = Field(examples=CODE_EXAMPLE)


class LoginIn(Incoming):
    """An e-mail and its password."""

    email: Name = Field(examples=EMAIL_EXAMPLE)
    password: str = Field(max_length=_PASSWORD_LENGTH_MAX, examples=["four words are enough"])


class ChallengeIn(Incoming):
    """What log-in answered."""

    challenge: Name = Field(examples=["9b1f…"])


class ShownIn(Incoming):
    """A code of the authenticator app, a recovery code, or what a passkey signed."""

    code: Name | None = Field(default=None, examples=CODE_EXAMPLE)
    passkey: AssertionIn | None = None

    def shown(self) -> Shown:
        """As the domain knows it."""
        signed = None if self.passkey is None else self.passkey.credential()
        return Shown(self.code, signed)


class SecondFactorIn(ShownIn):
    """What log-in answered, and the second factor."""

    challenge: Name = Field(examples=["9b1f…"])


class ReauthenticateIn(ShownIn):
    """The password again, or a second factor."""

    password: str | None = Field(default=None, max_length=_PASSWORD_LENGTH_MAX)


class RefreshIn(Incoming):
    """A refresh token; a browser sends its cookie instead."""

    refresh_token: Name = Field(default="", examples=["mrt_…"])


class ResetIn(Incoming):
    """A new password, and the token that a mailed code was changed for."""

    reset_token: Name = Field(examples=["5c0e…"])
    new_password: str = Field(max_length=_PASSWORD_LENGTH_MAX, examples=["four other words now"])


class UserOut(Outgoing, frozen=True):
    """A person."""

    id: UserId
    email: str
    full_name: str
    email_verified: bool

    @classmethod
    def of(cls, user: User) -> Self:
        """The wire form."""
        return cls(id=user.id, email=user.email, full_name=user.full_name, email_verified=True)


class RegisteredOut(Outgoing, frozen=True):
    """Who has registered, and what to do next."""

    message: str
    user: UserOut


class MembershipOut(Outgoing, frozen=True):
    """An organisation that a person belongs to, as what, and what that allows."""

    id: OrganizationId
    name: str
    role: Role
    permissions: list[str]

    @classmethod
    def of(cls, membership: MembershipOf) -> Self:
        """The wire form."""
        return cls(
            id=membership.org_id,
            name=membership.name,
            role=membership.role,
            permissions=sorted(membership.permissions),
        )


class SignedInOut(Outgoing, frozen=True):
    """What a person gets who signs in."""

    access_token: str
    refresh_token: Annotated[str, Meta(description='"" for browsers, which get a cookie')]
    token_type: str
    expires_in: Annotated[int, Meta(description="seconds until the access token runs out")]
    user: UserOut
    organizations: list[MembershipOut]

    @classmethod
    def of(cls, signed_in: SignedIn, *, hides_refresh_token: bool) -> Self:
        """The wire form."""
        return cls(
            access_token=signed_in.access_token,
            refresh_token="" if hides_refresh_token else signed_in.refresh_token,
            token_type="Bearer",  # noqa: S106 - its kind
            expires_in=int(ACCESS_LIFE.total_seconds()),
            user=UserOut.of(signed_in.user),
            organizations=[MembershipOut.of(one) for one in signed_in.organizations],
        )


class ChallengeBody(Outgoing, frozen=True):
    """The refusal of a log-in whose password was right, and what the second factor goes with."""

    error: str
    code: str
    challenge: str


class ResetTokenOut(Outgoing, frozen=True):
    """What a right code is changed for."""

    message: str
    reset_token: str
