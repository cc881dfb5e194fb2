"""Use cases of invitations: ask somebody, and what they answer."""

import secrets
from datetime import timedelta

from msgspec.structs import replace

from monigo import tenancy
from monigo.core.access import Role, email_fault, spelled
from monigo.core.errors import DomainError, ErrorKind, conflict, invalid, not_found
from monigo.core.ids import InvitationId, UserId, parse_id
from monigo.infra import outbox
from monigo.infra.crypto import Vault
from monigo.infra.db import Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.people import store as people_store
from monigo.people.organizations import store
from monigo.people.organizations.events import (
    InvitationAccepted,
    InvitationFact,
    InvitationRejected,
    InvitationWithdrawn,
    MemberInvited,
)
from monigo.people.organizations.members import join, owners_only
from monigo.people.organizations.rules import (
    INVITATION_LIFE,
    INVITATIONS_A_DAY_MAX,
    PENDING_INVITATIONS_MAX,
    TOKEN_BYTES,
    may_manage,
)
from monigo.people.organizations.types import Invitation, InvitationStatus, NamedInvitation
from monigo.people.service import People
from monigo.people.types import User

HASH_PURPOSE = "invitation"
RETRY_AFTER_SECONDS = 3600


async def invite(
    people: People, tx: Transaction, *, actor_id: UserId, email: str, role: Role
) -> NamedInvitation:
    """Ask somebody by mail to become a member; the link in it works once, for a week.

    Raises:
        DomainError: invalid; forbidden, where who is no owner asks for one; conflict, where the
            e-mail is a member's or was asked already; rate_limited.
    """
    address = spelled(email)
    fault = email_fault(address)
    if fault is not None:
        raise invalid({"email": fault})
    await people_store.see_people(tx)
    roles = await store.lock_members(tx, [actor_id])
    if actor_id not in roles or not may_manage(roles[actor_id], role):
        raise owners_only()
    await _refuse_too_many(tx)
    if await store.has_member(tx, address):
        raise store.already_member()
    token = secrets.token_hex(TOKEN_BYTES)
    invitation = Invitation(
        id=InvitationId(new_id()),
        org_id=tx.org_id,
        email=address,
        role=role,
        invited_by=actor_id,
        status=InvitationStatus.PENDING,
        created_at=tx.real_now,
        expires_at=tx.real_now + INVITATION_LIFE,
        decided_at=None,
    )
    await store.insert_invitation(tx, invitation, people.vault.keyed_hash(HASH_PURPOSE, token))
    await outbox.emit(tx, [MemberInvited(invitation_id=invitation.id, role=role)])
    name = (await tenancy.get_organization(tx)).name
    await people.write_mail(
        tx, "invitation", address, organization=name, role=role.value, token=token
    )
    invited = NamedInvitation(invitation, name)
    tx.changed(None, invited)
    return invited


async def list_pending(tx: Transaction) -> list[NamedInvitation]:
    """The organisation's open invitations, newest first."""
    await people_store.see_people(tx)
    name = (await tenancy.get_organization(tx)).name
    return [NamedInvitation(one, name) for one in await store.pending(tx)]


async def withdraw(tx: Transaction, invitation_id: InvitationId) -> None:
    """End an open invitation.

    Raises:
        DomainError: not_found.
    """
    await people_store.see_people(tx)
    found = _still_open(tx, await store.lock_in_organization(tx, invitation_id))
    await store.decide(tx, found, InvitationStatus.WITHDRAWN)
    await outbox.emit(tx, [InvitationWithdrawn(invitation_id=invitation_id)])
    await _note_decision(tx, found, InvitationStatus.WITHDRAWN)


async def pending_of(tx: Transaction, user: User) -> list[NamedInvitation]:
    """The open invitations to a person, newest first."""
    await people_store.see_people(tx)
    return [await _named(tx, one) for one in await store.pending_of_email(tx, user.email)]


async def get(tx: Transaction, vault: Vault, user: User, reference: str) -> NamedInvitation:
    """An open invitation to a person, by its id or by the token in the link.

    Raises:
        DomainError: not_found; forbidden, where it is to somebody else.
    """
    await people_store.see_people(tx)
    return await _named(tx, await _own(tx, vault, user, reference))


async def accept(tx: Transaction, vault: Vault, user: User, reference: str) -> NamedInvitation:
    """Become a member by an invitation, by its id or by the token in the link.

    Raises:
        DomainError: not_found; forbidden, where it is to somebody else, or the organisation is
            suspended; conflict (member already).
    """
    return await _decide(tx, vault, user, reference, InvitationStatus.ACCEPTED)


async def reject(tx: Transaction, vault: Vault, user: User, reference: str) -> NamedInvitation:
    """Refuse an invitation.

    Raises:
        DomainError: not_found; forbidden, where it is to somebody else.
    """
    return await _decide(tx, vault, user, reference, InvitationStatus.REJECTED)


async def _decide(
    tx: Transaction, vault: Vault, user: User, reference: str, status: InvitationStatus
) -> NamedInvitation:
    await people_store.see_people(tx)
    invitation = await _own(tx, vault, user, reference)
    await store.decide(tx, invitation, status)
    is_accepted = status is InvitationStatus.ACCEPTED
    fact: type[InvitationFact] = InvitationAccepted if is_accepted else InvitationRejected
    async with tenancy.bound_to(tx, Tenant(invitation.org_id, is_test=False)) as own:
        if is_accepted:
            await tenancy.require_active(own)
            await join(own, user.id, invitation.role)
        await outbox.emit(own, [fact(invitation_id=invitation.id)])
        await _note_decision(own, invitation, status)
    return await _named(tx, invitation)


async def _own(tx: Transaction, vault: Vault, user: User, reference: str) -> Invitation:
    """The open invitation that a person was sent, held."""
    by_id = _id_of(reference)
    if by_id is not None:
        found = await store.lock_by_id(tx, by_id, user.email)
    else:
        found = await store.lock_by_token(tx, vault.keyed_hashes(HASH_PURPOSE, reference))
    invitation = _still_open(tx, found)
    if invitation.email != user.email:
        raise DomainError(
            ErrorKind.FORBIDDEN, "other_recipient", "the invitation is to another e-mail"
        )
    return invitation


def _id_of(reference: str) -> InvitationId | None:
    parsed = parse_id(reference)
    return None if parsed is None else InvitationId(parsed)


def _still_open(tx: Transaction, found: Invitation | None) -> Invitation:
    if found is None or found.status_at(tx.real_now) is not InvitationStatus.PENDING:
        raise not_found("invitation")
    return found


async def _named(tx: Transaction, invitation: Invitation) -> NamedInvitation:
    async with tenancy.bound_to(tx, Tenant(invitation.org_id, is_test=False)) as own:
        return NamedInvitation(invitation, (await tenancy.get_organization(own)).name)


async def _note_decision(tx: Transaction, before: Invitation, status: InvitationStatus) -> None:
    """Note in the organisation's transaction what came of an open invitation."""
    name = (await tenancy.get_organization(tx)).name
    after = replace(before, status=status, decided_at=tx.real_now)
    tx.changed(NamedInvitation(before, name), NamedInvitation(after, name))


async def _refuse_too_many(tx: Transaction) -> None:
    await store.expire_invitations(tx)
    pending, today = await store.count_invitations(tx, tx.real_now - timedelta(days=1))
    if pending >= PENDING_INVITATIONS_MAX:
        raise conflict(
            "too_many_invitations", f"at most {PENDING_INVITATIONS_MAX} invitations are open"
        )
    if today >= INVITATIONS_A_DAY_MAX:
        raise DomainError(
            ErrorKind.RATE_LIMITED,
            "too_many_invitations_today",
            "too many people were invited today",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )
