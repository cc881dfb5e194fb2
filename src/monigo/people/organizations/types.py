"""Members of organisations, and invitations."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.access import Role
from monigo.core.ids import InvitationId, OrganizationId, UserId
from monigo.tenancy import IssuedKey, Organization


class Member(Struct, frozen=True):
    """A person in an organisation."""

    user_id: UserId
    email: str
    full_name: str
    role: Role
    joined_at: datetime


class InvitationStatus(StrEnum):
    """What came of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Invitation(Struct, frozen=True):
    """Somebody was asked to become a member."""

    id: InvitationId
    org_id: OrganizationId
    email: str
    role: Role
    invited_by: UserId
    status: InvitationStatus
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    def status_at(self, now: datetime) -> InvitationStatus:
        """What came of it; one that nobody answered has expired at `expires_at`."""
        is_over = self.status is InvitationStatus.PENDING and now >= self.expires_at
        return InvitationStatus.EXPIRED if is_over else self.status


class NamedInvitation(Struct, frozen=True):
    """An invitation, with the name of the organisation that it is to."""

    invitation: Invitation
    org_name: str


class Founded(Struct, frozen=True):
    """A new organisation of a person, and its first keys, whose secrets are shown once."""

    organization: Organization
    keys: tuple[IssuedKey, ...]
