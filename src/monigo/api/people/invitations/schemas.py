"""Invitations on the wire."""

from typing import Self

from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.access import Role
from monigo.core.ids import InvitationId, OrganizationId
from monigo.people import InvitationStatus, NamedInvitation


class InviteIn(Incoming):
    """Who is asked to become what."""

    email: Name = Field(examples=["bola@example.com"])
    role: Role = Field(examples=["member"])


class TokenIn(Incoming):
    """The token in an invitation's link, or the id of one that is listed as yours."""

    token: Name = Field(examples=["7d3a…"])


class InvitationOut(Outgoing, frozen=True):
    """An invitation; its token lies in one mail and nowhere else."""

    id: InvitationId
    org_id: OrganizationId
    org_name: str
    email: str
    role: Role
    status: InvitationStatus
    created_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, named: NamedInvitation) -> Self:
        """The wire form."""
        invitation = named.invitation
        return cls(
            id=invitation.id,
            org_id=invitation.org_id,
            org_name=named.org_name,
            email=invitation.email,
            role=invitation.role,
            status=invitation.status,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class InvitationEnvelope(Outgoing, frozen=True):
    """One invitation."""

    invitation: InvitationOut


class InvitationList(ListEnvelope, frozen=True):
    """Open invitations, newest first."""

    invitations: list[InvitationOut]
