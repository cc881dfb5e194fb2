"""All SQL of memberships and invitations."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from monigo.core.access import Role
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import InvitationId, OrganizationId, UserId
from monigo.infra.db import Transaction, violations_as
from monigo.people.organizations.types import Invitation, InvitationStatus, Member

SELECT_OF_PERSON = """
    SELECT org_id, role FROM memberships WHERE user_id = $1 ORDER BY joined_at, org_id LIMIT $2
"""

INSERT_MEMBERSHIP = """
    INSERT INTO memberships (org_id, user_id, role, joined_at, updated_at)
    VALUES ($1, $2, $3, $4, $4)
"""

SELECT_MEMBERS = """
    SELECT member.user_id, person.email, person.full_name, member.role, member.joined_at
    FROM memberships AS member
    JOIN users AS person ON person.id = member.user_id
    WHERE member.org_id = $1
    ORDER BY member.joined_at, member.user_id
    LIMIT $2
"""

# Owners, too, so that of two who remove each other the second sees what the first did.
LOCK_MEMBERS = """
    SELECT user_id, role FROM memberships
    WHERE org_id = $1 AND (user_id = ANY ($2::uuid[]) OR role = 'owner')
    ORDER BY user_id
    FOR UPDATE
"""

COUNT_MEMBERS = "SELECT count(*) FROM memberships WHERE org_id = $1"

SELECT_MEMBER = """
    SELECT member.user_id, person.email, person.full_name, member.role, member.joined_at
    FROM memberships AS member
    JOIN users AS person ON person.id = member.user_id
    WHERE member.org_id = $1 AND member.user_id = $2
"""

SELECT_IS_MEMBER = """
    SELECT 1 FROM memberships AS member JOIN users AS person ON person.id = member.user_id
    WHERE member.org_id = $1 AND person.email = $2
"""

UPDATE_ROLE = """
    UPDATE memberships SET role = $3, updated_at = $4 WHERE org_id = $1 AND user_id = $2
"""

DELETE_MEMBERSHIP = "DELETE FROM memberships WHERE org_id = $1 AND user_id = $2"

INVITATION_COLUMNS = """
    id, org_id, email, role, invited_by, status, created_at, expires_at, decided_at
"""

INSERT_INVITATION = f"""
    INSERT INTO invitations ({INVITATION_COLUMNS}, token_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

EXPIRE_INVITATIONS = """
    UPDATE invitations SET status = 'expired', decided_at = expires_at
    WHERE org_id = $1 AND status = 'pending' AND expires_at <= $2
"""

COUNT_INVITATIONS = """
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE created_at > $2) AS today
    FROM invitations WHERE org_id = $1
"""

SELECT_PENDING_OF_ORGANIZATION = f"""
    SELECT {INVITATION_COLUMNS} FROM invitations
    WHERE org_id = $1 AND status = 'pending' AND expires_at > $2
    ORDER BY created_at DESC, id DESC
"""

SELECT_PENDING_OF_EMAIL = f"""
    SELECT {INVITATION_COLUMNS} FROM invitations
    WHERE email = $1 AND status = 'pending' AND expires_at > $2
    ORDER BY created_at DESC, id DESC
    LIMIT 100
"""

LOCK_IN_ORGANIZATION = f"""
    SELECT {INVITATION_COLUMNS} FROM invitations WHERE org_id = $1 AND id = $2 FOR UPDATE
"""

LOCK_BY_TOKEN = f"""
    SELECT {INVITATION_COLUMNS} FROM invitations WHERE token_hash = ANY ($1::bytea[]) FOR UPDATE
"""

LOCK_BY_ID = f"""
    SELECT {INVITATION_COLUMNS} FROM invitations WHERE id = $1 AND email = $2 FOR UPDATE
"""

DECIDE = """
    UPDATE invitations SET status = $3, decided_at = $4 WHERE org_id = $1 AND id = $2
"""


async def of_person(
    tx: Transaction, user_id: UserId, limit: int
) -> list[tuple[OrganizationId, Role]]:
    """The organisations that a person belongs to, in the order of joining, and as what."""
    rows = await tx.connection.fetch(SELECT_OF_PERSON, user_id, limit)
    return [(OrganizationId(row["org_id"]), Role(row["role"])) for row in rows]


async def insert(tx: Transaction, user_id: UserId, role: Role) -> None:
    """Store that a person belongs to the transaction's organisation.

    Raises:
        DomainError: conflict, where they do already.
    """
    with violations_as({"memberships_pkey": already_member}):
        await tx.connection.execute(INSERT_MEMBERSHIP, tx.org_id, user_id, role.value, tx.real_now)


async def members(tx: Transaction, limit: int) -> list[Member]:
    """The people of the organisation, in the order of joining."""
    return [_member(row) for row in await tx.connection.fetch(SELECT_MEMBERS, tx.org_id, limit)]


async def member(tx: Transaction, user_id: UserId) -> Member | None:
    """A person of the organisation."""
    row = await tx.connection.fetchrow(SELECT_MEMBER, tx.org_id, user_id)
    return None if row is None else _member(row)


async def has_member(tx: Transaction, email: str) -> bool:
    """Whether a person with this e-mail belongs to the organisation."""
    return await tx.connection.fetchval(SELECT_IS_MEMBER, tx.org_id, email) is not None


async def count_members(tx: Transaction) -> int:
    """How many people the organisation has."""
    return await tx.connection.fetchval(COUNT_MEMBERS, tx.org_id)


async def lock_members(tx: Transaction, user_ids: Sequence[UserId]) -> dict[UserId, Role]:
    """The roles of these people and of all owners, held until the transaction ends."""
    rows = await tx.connection.fetch(LOCK_MEMBERS, tx.org_id, list(user_ids))
    return {UserId(row["user_id"]): Role(row["role"]) for row in rows}


async def set_role(tx: Transaction, user_id: UserId, role: Role) -> None:
    """Store another role of a member.

    Raises:
        DomainError: conflict, where no owner would be left.
    """
    with violations_as({"memberships_keep_an_owner": last_owner}):
        await tx.connection.execute(UPDATE_ROLE, tx.org_id, user_id, role.value, tx.real_now)


async def delete(tx: Transaction, user_id: UserId) -> None:
    """Store that a person belongs to the organisation no more.

    Raises:
        DomainError: conflict, where no owner would be left.
    """
    with violations_as({"memberships_keep_an_owner": last_owner}):
        await tx.connection.execute(DELETE_MEMBERSHIP, tx.org_id, user_id)


async def insert_invitation(tx: Transaction, invitation: Invitation, token_hash: bytes) -> None:
    """Store an invitation.

    Raises:
        DomainError: conflict, where one to this e-mail is open.
    """
    with violations_as({"invitations_one_open": already_invited}):
        await tx.connection.execute(
            INSERT_INVITATION,
            invitation.id,
            invitation.org_id,
            invitation.email,
            invitation.role.value,
            invitation.invited_by,
            invitation.status.value,
            invitation.created_at,
            invitation.expires_at,
            invitation.decided_at,
            token_hash,
        )


async def expire_invitations(tx: Transaction) -> None:
    """Note which of the organisation's invitations nobody answered in time."""
    await tx.connection.execute(EXPIRE_INVITATIONS, tx.org_id, tx.real_now)


async def count_invitations(tx: Transaction, since: datetime) -> tuple[int, int]:
    """How many are open, and how many were made since an instant."""
    row = await tx.connection.fetchrow(COUNT_INVITATIONS, tx.org_id, since)
    return (row["pending"], row["today"]) if row else (0, 0)


async def pending(tx: Transaction) -> list[Invitation]:
    """The organisation's open invitations, newest first."""
    rows = await tx.connection.fetch(SELECT_PENDING_OF_ORGANIZATION, tx.org_id, tx.real_now)
    return [_invitation(row) for row in rows]


async def pending_of_email(tx: Transaction, email: str) -> list[Invitation]:
    """The open invitations to an e-mail, newest first."""
    rows = await tx.connection.fetch(SELECT_PENDING_OF_EMAIL, email, tx.real_now)
    return [_invitation(row) for row in rows]


async def lock_in_organization(tx: Transaction, invitation_id: InvitationId) -> Invitation | None:
    """One of the organisation's invitations, held until the transaction ends."""
    row = await tx.connection.fetchrow(LOCK_IN_ORGANIZATION, tx.org_id, invitation_id)
    return None if row is None else _invitation(row)


async def lock_by_token(tx: Transaction, hashes: Sequence[bytes]) -> Invitation | None:
    """The invitation whose token has one of these hashes, locked."""
    row = await tx.connection.fetchrow(LOCK_BY_TOKEN, list(hashes))
    return None if row is None else _invitation(row)


async def lock_by_id(tx: Transaction, invitation_id: InvitationId, email: str) -> Invitation | None:
    """An invitation to an e-mail, held until the transaction ends."""
    row = await tx.connection.fetchrow(LOCK_BY_ID, invitation_id, email)
    return None if row is None else _invitation(row)


async def decide(tx: Transaction, invitation: Invitation, status: InvitationStatus) -> None:
    """Store what came of an invitation."""
    await tx.connection.execute(DECIDE, invitation.org_id, invitation.id, status.value, tx.real_now)


def already_member() -> DomainError:
    """The refusal of who belongs to the organisation already."""
    return conflict("already_member", "this person is a member already")


def already_invited() -> DomainError:
    """The refusal of a second invitation to the same e-mail."""
    return conflict("already_invited", "an invitation to this e-mail is open")


def last_owner() -> DomainError:
    """The refusal to leave an organisation without an owner."""
    return conflict("last_owner", "the organization would have no owner left")


def _member(row: asyncpg.Record) -> Member:
    return Member(
        user_id=UserId(row["user_id"]),
        email=row["email"],
        full_name=row["full_name"],
        role=Role(row["role"]),
        joined_at=row["joined_at"],
    )


def _invitation(row: asyncpg.Record) -> Invitation:
    values = dict(row)
    values["role"] = Role(values["role"])
    values["status"] = InvitationStatus(values["status"])
    return Invitation(**values)
