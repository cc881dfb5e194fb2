"""Pure rules of members: who may make whom what, and how many there may be."""

from datetime import timedelta

from monigo.core.access import Role

INVITATION_LIFE = timedelta(days=7)
TOKEN_BYTES = 32
# Far more than any has, and few enough to list at once.
MEMBERS_MAX = 1_000
PENDING_INVITATIONS_MAX = 200
# Mails that an organisation has sent to strangers in a day.
INVITATIONS_A_DAY_MAX = 200
ORGANIZATIONS_OF_PERSON_MAX = 100

_MAY_BE_MADE_BY = {
    Role.OWNER: frozenset(Role),
    Role.ADMIN: frozenset({Role.ADMIN, Role.MEMBER, Role.VIEWER}),
}


def may_manage(actor: Role, *roles: Role) -> bool:
    """Whether somebody may make people of these roles what they are, or end them being it.

    Owners are made and removed by owners only.
    """
    return set(roles) <= _MAY_BE_MADE_BY.get(actor, frozenset())
