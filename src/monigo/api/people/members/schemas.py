"""The people of an organisation on the wire."""

from typing import Self

from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.access import Role
from monigo.core.ids import UserId
from monigo.people import Member


class RoleIn(Incoming):
    """What a member is to be."""

    role: Role = Field(examples=["admin"])


class MemberOut(Outgoing, frozen=True):
    """A person in an organisation."""

    user_id: UserId
    email: str
    full_name: str
    role: Role
    joined_at: Instant

    @classmethod
    def of(cls, member: Member) -> Self:
        """The wire form."""
        return cls(
            user_id=member.user_id,
            email=member.email,
            full_name=member.full_name,
            role=member.role,
            joined_at=member.joined_at,
        )


class MemberEnvelope(Outgoing, frozen=True):
    """One member."""

    member: MemberOut


class MemberList(ListEnvelope, frozen=True):
    """The people of an organisation, in the order of joining."""

    members: list[MemberOut]
