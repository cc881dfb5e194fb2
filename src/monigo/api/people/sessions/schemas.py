"""Sessions on the wire."""

from typing import Self

from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import SessionId
from monigo.people import Claims, Session


class RevokeAllIn(Incoming):
    """The client's own session; its access token names the session, too."""

    current_refresh_token: Name = Field(default="", examples=["mrt_…"])


class SessionOut(Outgoing, frozen=True):
    """A device on which a person is signed in."""

    id: SessionId
    device: str
    address: str
    created_at: Instant
    last_seen_at: Instant
    is_current: bool

    @classmethod
    def of(cls, session: Session, claims: Claims) -> Self:
        """The wire form."""
        return cls(
            id=session.id,
            device=session.device,
            address=session.address,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            is_current=session.id == claims.session_id,
        )


class SessionList(ListEnvelope, frozen=True):
    """A person's devices, the one used last first."""

    sessions: list[SessionOut]
