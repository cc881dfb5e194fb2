"""Routes of invitations: of who invites, and of who is invited."""

from fastapi import APIRouter

from monigo import people
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.open import PeopleOfProcess
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import PersonRoute, TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.people.invitations.schemas import (
    InvitationEnvelope,
    InvitationList,
    InvitationOut,
    InviteIn,
    TokenIn,
)
from monigo.core.access import Permission
from monigo.core.ids import InvitationId
from monigo.core.paging import page_of

router = APIRouter(route_class=PersonRoute, tags=["invitations"], prefix="/invitations")
of_organization = APIRouter(
    route_class=TenantRoute, tags=["invitations"], prefix="/organizations/{org_id}"
)

INVITATION = Changes(
    "invitation",
    people.organizations.NamedInvitation,
    lambda _tx, named: InvitationOut.of(named),
    lambda _tx, named: named.invitation.id,
    is_of_mode=False,
)


@of_organization.post("/invite", status_code=201)
@atomic(Permission.INVITATIONS_WRITE, changes=INVITATION)
async def invite(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, body: InviteIn
) -> InvitationEnvelope:
    """Ask somebody by mail to become a member. The link works once, for seven days."""
    made = await people.organizations.invite(
        services, tx, actor_id=claims.user_id, email=body.email, role=body.role
    )
    return InvitationEnvelope(invitation=InvitationOut.of(made))


@of_organization.get("/invitations", response_model=InvitationList)
@atomic(Permission.INVITATIONS_READ)
async def list_invitations(tx: Tx, paging: Paging) -> ListResponse:
    """List the organisation's open invitations, newest first."""
    found = await people.organizations.list_pending(tx)
    return ListResponse("invitations", page_of(found, paging), InvitationOut.of)


@of_organization.delete("/invitations/{invitation_id}")
@atomic(Permission.INVITATIONS_WRITE, changes=INVITATION)
async def withdraw_invitation(tx: Tx, invitation_id: Id) -> Message:
    """End an open invitation."""
    await people.organizations.withdraw(tx, InvitationId(invitation_id))
    return Message(message="invitation withdrawn")


@router.get("/pending", response_model=InvitationList)
@atomic(Permission.ACCOUNT_READ)
async def list_own_invitations(tx: Tx, claims: ClaimsOfRequest, paging: Paging) -> ListResponse:
    """List the open invitations to your e-mail, newest first."""
    user = await people.accounts.get_user(tx, claims.user_id)
    found = await people.organizations.pending_of(tx, user)
    return ListResponse("invitations", page_of(found, paging), InvitationOut.of)


@router.post("/accept")
@atomic(Permission.ACCOUNT_WRITE, changes=INVITATION)
async def accept_invitation(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, body: TokenIn
) -> InvitationEnvelope:
    """Become a member by an invitation to your e-mail."""
    user = await people.accounts.get_user(tx, claims.user_id)
    accepted = await people.organizations.accept(tx, services.vault, user, body.token)
    return InvitationEnvelope(invitation=InvitationOut.of(accepted))


@router.post("/reject")
@atomic(Permission.ACCOUNT_WRITE, changes=INVITATION)
async def reject_invitation(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, body: TokenIn
) -> InvitationEnvelope:
    """Refuse an invitation to your e-mail."""
    user = await people.accounts.get_user(tx, claims.user_id)
    rejected = await people.organizations.reject(tx, services.vault, user, body.token)
    return InvitationEnvelope(invitation=InvitationOut.of(rejected))


@router.get("/{invitation_id}")
@atomic(Permission.ACCOUNT_READ)
async def get_invitation(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, invitation_id: Name
) -> InvitationEnvelope:
    """Read an invitation to your e-mail, by its id or by the token in its link."""
    user = await people.accounts.get_user(tx, claims.user_id)
    found = await people.organizations.get(tx, services.vault, user, invitation_id)
    return InvitationEnvelope(invitation=InvitationOut.of(found))
