"""Organisations of people: who belongs to which, as what, and who was asked to."""

from monigo.people.organizations import events
from monigo.people.organizations.authorization import authorize, require_session, unauthenticated
from monigo.people.organizations.invitations import (
    accept,
    get,
    invite,
    list_pending,
    pending_of,
    reject,
    withdraw,
)
from monigo.people.organizations.members import (
    change_role,
    found,
    ids_of_person,
    join,
    leave,
    list_members,
    of_person,
    remove,
)
from monigo.people.organizations.types import (
    Founded,
    Invitation,
    InvitationStatus,
    Member,
    NamedInvitation,
)

__all__ = [
    "Founded",
    "Invitation",
    "InvitationStatus",
    "Member",
    "NamedInvitation",
    "accept",
    "authorize",
    "change_role",
    "events",
    "found",
    "get",
    "ids_of_person",
    "invite",
    "join",
    "leave",
    "list_members",
    "list_pending",
    "of_person",
    "pending_of",
    "reject",
    "remove",
    "require_session",
    "unauthenticated",
    "withdraw",
]
