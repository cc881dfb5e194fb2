"""Use cases of members: found an organisation, list who belongs to it, change roles, leave."""

from msgspec.structs import replace

from monigo import tenancy
from monigo.core.access import Role, permissions_of_role, permissions_within_limit
from monigo.core.errors import DomainError, ErrorKind, conflict, not_found
from monigo.core.ids import OrganizationId, UserId
from monigo.infra import outbox
from monigo.infra.db import Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.people import store as people_store
from monigo.people.organizations import store
from monigo.people.organizations.authorization import credit_limit_of
from monigo.people.organizations.events import (
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    MemberRoleChanged,
)
from monigo.people.organizations.rules import (
    MEMBERS_MAX,
    ORGANIZATIONS_OF_PERSON_MAX,
    may_manage,
)
from monigo.people.organizations.types import Founded, Member
from monigo.people.types import MembershipOf
from monigo.tenancy import NewOrganization


async def found(tx: Transaction, user_id: UserId, wanted: NewOrganization) -> Founded:
    """Make an organisation whose owner a person is, with a test key and a live key.

    Raises:
        DomainError: invalid, naming every setting at fault; conflict, where the person belongs to
            too many already.
    """
    await people_store.see_people(tx)
    await people_store.lock_name(tx, f"organizations of {user_id}")
    if len(await store.of_person(tx, user_id, ORGANIZATIONS_OF_PERSON_MAX)) == (
        ORGANIZATIONS_OF_PERSON_MAX
    ):
        raise conflict(
            "too_many_organizations", f"a person has at most {ORGANIZATIONS_OF_PERSON_MAX}"
        )
    org_id = OrganizationId(new_id())
    async with tenancy.bound_to(tx, Tenant(org_id, is_test=False)) as own:
        organization = await tenancy.add_organization(own, wanted)
        keys = [
            await tenancy.add_key(own, name=f"{mode} key", is_test_mode=mode == "test")
            for mode in ("test", "live")
        ]
        await join(own, user_id, Role.OWNER)
    return Founded(organization, tuple(keys))


async def join(tx: Transaction, user_id: UserId, role: Role) -> None:
    """Make a person a member of the transaction's organisation.

    Raises:
        DomainError: conflict, where they are one already, or there are too many.
    """
    await people_store.see_people(tx)
    if await store.count_members(tx) >= MEMBERS_MAX:
        raise conflict("too_many_members", f"an organization has at most {MEMBERS_MAX} members")
    await store.insert(tx, user_id, role)
    await outbox.emit(tx, [MemberJoined(user_id=user_id, role=role)])


async def of_person(tx: Transaction, user_id: UserId) -> list[MembershipOf]:
    """The organisations that a person belongs to, in the order of joining."""
    await people_store.see_people(tx)
    found_ids = await store.of_person(tx, user_id, ORGANIZATIONS_OF_PERSON_MAX)
    memberships: list[MembershipOf] = []
    for org_id, role in found_ids:
        async with tenancy.bound_to(tx, Tenant(org_id, is_test=False)) as own:
            organization = await tenancy.get_organization(own)
        within_limit = permissions_within_limit(role) if credit_limit_of(organization) else set()
        allowed = permissions_of_role(role) | within_limit
        memberships.append(MembershipOf(org_id, organization.name, role, allowed))
    return memberships


async def ids_of_person(tx: Transaction, user_id: UserId) -> list[OrganizationId]:
    """The ids of the organisations that a person belongs to, in the order of joining."""
    await people_store.see_people(tx)
    found_ids = await store.of_person(tx, user_id, ORGANIZATIONS_OF_PERSON_MAX)
    return [org_id for org_id, _ in found_ids]


async def list_members(tx: Transaction) -> list[Member]:
    """The people of the transaction's organisation, in the order of joining."""
    await people_store.see_people(tx)
    return await store.members(tx, MEMBERS_MAX)


async def change_role(tx: Transaction, *, actor_id: UserId, user_id: UserId, role: Role) -> Member:
    """Give a member another role.

    Raises:
        DomainError: not_found; forbidden, where an owner is touched by who is none; conflict,
            where no owner would be left.
    """
    before = await _managed(tx, actor_id=actor_id, user_id=user_id, becomes=role)
    member = await _member(tx, user_id)
    if before is role:
        return member
    await store.set_role(tx, user_id, role)
    await outbox.emit(tx, [MemberRoleChanged(user_id=user_id, role=role)])
    changed = replace(member, role=role)
    tx.changed(member, changed)
    return changed


async def remove(tx: Transaction, *, actor_id: UserId, user_id: UserId) -> None:
    """End a person's membership, at once.

    Raises:
        DomainError: as `change_role`.
    """
    await _managed(tx, actor_id=actor_id, user_id=user_id)
    member = await _member(tx, user_id)
    await store.delete(tx, user_id)
    await outbox.emit(tx, [MemberRemoved(user_id=user_id)])
    tx.changed(member, None)


async def leave(tx: Transaction, user_id: UserId) -> None:
    """End one's own membership.

    Raises:
        DomainError: conflict, where no owner would be left.
    """
    await people_store.see_people(tx)
    roles = await store.lock_members(tx, [user_id])
    if user_id not in roles:
        raise not_found("member")
    _keep_an_owner(roles, user_id)
    member = await _member(tx, user_id)
    await store.delete(tx, user_id)
    await outbox.emit(tx, [MemberLeft(user_id=user_id)])
    tx.changed(member, None)


async def _member(tx: Transaction, user_id: UserId) -> Member:
    member = await store.member(tx, user_id)
    if member is None:
        raise not_found("member")
    return member


async def _managed(
    tx: Transaction, *, actor_id: UserId, user_id: UserId, becomes: Role | None = None
) -> Role:
    """The present role of a member, held, whom the actor may change or remove."""
    await people_store.see_people(tx)
    roles = await store.lock_members(tx, [actor_id, user_id])
    if user_id not in roles:
        raise not_found("member")
    touched = (roles[user_id], *([] if becomes is None else [becomes]))
    if actor_id not in roles or not may_manage(roles[actor_id], *touched):
        raise owners_only()
    if becomes is not Role.OWNER:
        _keep_an_owner(roles, user_id)
    return roles[user_id]


def owners_only() -> DomainError:
    """The refusal to make or remove an owner, for who is none."""
    return DomainError(
        ErrorKind.FORBIDDEN, "owners_only", "owners are made and removed by owners only"
    )


def _keep_an_owner(roles: dict[UserId, Role], leaving: UserId) -> None:
    is_owner = roles[leaving] is Role.OWNER
    if is_owner and all(role is not Role.OWNER for one, role in roles.items() if one != leaving):
        raise store.last_owner()
