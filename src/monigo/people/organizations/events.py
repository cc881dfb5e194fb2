"""The facts of members and invitations; they name people by id only."""

from monigo.core.access import Role
from monigo.core.ids import InvitationId, UserId
from monigo.infra.outbox import Fact


class MemberFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a person's membership."""

    subject = "member"
    subject_field = "user_id"
    user_id: UserId


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
    subject_field = "invitation_id"
    invitation_id: InvitationId


class MemberInvited(InvitationFact, frozen=True, kw_only=True):
    """Somebody was asked to become a member."""

    role: Role


class InvitationAccepted(InvitationFact, frozen=True, kw_only=True):
    """The invited person has become a member."""


class InvitationRejected(InvitationFact, frozen=True, kw_only=True):
    """The invited person declined."""


class InvitationWithdrawn(InvitationFact, frozen=True, kw_only=True):
    """The invitation was withdrawn by the organisation."""
