"""The facts of members and invitations; they name people by id only."""

from uuid import UUID

from monigo.core.access import Role
from monigo.core.ids import InvitationId, UserId
from monigo.infra.outbox import Fact


class MemberFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a person's membership."""

    subject = "member"
    user_id: UserId

    @property
    def subject_id(self) -> UUID:
        """The person."""
        return self.user_id


class MemberJoined(MemberFact, frozen=True, kw_only=True):
    """A person belongs to the organisation from now on."""

    role: Role


class MemberRoleChanged(MemberFact, frozen=True, kw_only=True):
    """A member has another role from now on."""

    role: Role


class MemberRemoved(MemberFact, frozen=True, kw_only=True):
    """A member was removed by another."""


class MemberLeft(MemberFact, frozen=True, kw_only=True):
    """A member left by themselves."""


class InvitationFact(Fact, frozen=True, kw_only=True):
    """Something that happened to an invitation."""

    subject = "invitation"
    invitation_id: InvitationId

    @property
    def subject_id(self) -> UUID:
        """The invitation."""
        return self.invitation_id


class MemberInvited(InvitationFact, frozen=True, kw_only=True):
    """Somebody was asked to become a member."""

    role: Role


class InvitationAccepted(InvitationFact, frozen=True, kw_only=True):
    """Whoever was asked has become a member."""


class InvitationRejected(InvitationFact, frozen=True, kw_only=True):
    """Whoever was asked does not want to."""


class InvitationWithdrawn(InvitationFact, frozen=True, kw_only=True):
    """Whoever was asked can't become a member by it any more."""
