"""Routes of the people of an organisation."""

from fastapi import APIRouter

from monigo import people
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.people.members.schemas import MemberEnvelope, MemberList, MemberOut, RoleIn
from monigo.core.access import Permission
from monigo.core.ids import UserId
from monigo.core.paging import page_of

router = APIRouter(route_class=TenantRoute, tags=["members"], prefix="/organizations/{org_id}")

MEMBER = Changes(
    "member",
    people.organizations.Member,
    lambda _tx, member: MemberOut.of(member),
    lambda _tx, member: member.user_id,
    is_of_mode=False,
)


@router.get("/members", response_model=MemberList)
@atomic(Permission.MEMBERS_READ)
async def list_members(tx: Tx, paging: Paging) -> ListResponse:
    """List who belongs to the organisation, and as what."""
    found = await people.organizations.list_members(tx)
    return ListResponse("members", page_of(found, paging), MemberOut.of)


@router.patch("/members/{user_id}")
@atomic(Permission.MEMBERS_WRITE, changes=MEMBER)
async def change_role(tx: Tx, claims: ClaimsOfRequest, user_id: Id, body: RoleIn) -> MemberEnvelope:
    """Give a member another role. Owners are made and unmade by owners only."""
    member = await people.organizations.change_role(
        tx, actor_id=claims.user_id, user_id=UserId(user_id), role=body.role
    )
    return MemberEnvelope(member=MemberOut.of(member))


@router.delete("/members/{user_id}")
@atomic(Permission.MEMBERS_WRITE, changes=MEMBER)
async def remove_member(tx: Tx, claims: ClaimsOfRequest, user_id: Id) -> Message:
    """End a person's membership, at once."""
    await people.organizations.remove(tx, actor_id=claims.user_id, user_id=UserId(user_id))
    return Message(message="member removed")


@router.delete("/leave")
@atomic(Permission.MEMBERSHIP_LEAVE, changes=MEMBER)
async def leave_organization(tx: Tx, claims: ClaimsOfRequest) -> Message:
    """Leave the organisation. Its last owner can't."""
    await people.organizations.leave(tx, claims.user_id)
    return Message(message="you left the organization")
