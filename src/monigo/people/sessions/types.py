"""What a session is, and what a person gets who signs in."""

from datetime import datetime

from msgspec import Struct

from monigo.core.ids import SessionId, UserId
from monigo.people.sessions.rules import device_of
from monigo.people.types import MembershipOf, User


class Session(Struct, frozen=True):
    """A device on which a person is signed in."""

    id: SessionId
    user_id: UserId
    salt: bytes
    generation: int
    recent_rotations: tuple[datetime, ...]
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    authenticated_at: datetime
    # When a second factor was shown, if ever.
    second_factor_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None

    @property
    def device(self) -> str:
        """What a person would call it."""
        return device_of(self.user_agent)

    def is_open(self, now: datetime) -> bool:
        """Whether it still counts."""
        return self.ended_at is None and now < self.expires_at


class Claims(Struct, frozen=True):
    """The claims of an access token: person and session. Permissions are in no token."""

    user_id: UserId
    session_id: SessionId


class SignedIn(Struct, frozen=True):
    """What a person gets who signs in, or whose tokens are refreshed."""

    access_token: str
    refresh_token: str
    user: User
    organizations: tuple[MembershipOf, ...]
