"""Routes of the organisations of a person."""

from fastapi import APIRouter

from monigo import people, tenancy
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import PersonRoute, TenantRoute, Tx
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.organization.schemas import (
    ORGANIZATION,
    OrganizationEnvelope,
    OrganizationIn,
)
from monigo.api.people.auth.schemas import MembershipOut
from monigo.api.people.organizations.schemas import FoundedOut, FoundIn, MembershipList
from monigo.core.access import Permission
from monigo.core.paging import page_of

router = APIRouter(route_class=PersonRoute, tags=["organizations"])
of_organization = APIRouter(
    route_class=TenantRoute, tags=["organizations"], prefix="/organizations/{org_id}"
)


@router.get("/organizations", response_model=MembershipList)
@atomic(Permission.ACCOUNT_READ)
async def list_organizations(tx: Tx, claims: ClaimsOfRequest, paging: Paging) -> ListResponse:
    """List the organisations that you belong to, and as what."""
    found = await people.organizations.of_person(tx, claims.user_id)
    return ListResponse("organizations", page_of(found, paging), MembershipOut.of)


@router.post("/organizations", status_code=201)
@atomic(Permission.ACCOUNT_WRITE, changes=ORGANIZATION, has_secret=True)
async def found_organization(tx: Tx, claims: ClaimsOfRequest, body: FoundIn) -> FoundedOut:
    """Make an organisation, whose owner you are. Its first keys are shown now and never again."""
    return FoundedOut.of(await people.organizations.found(tx, claims.user_id, body.wanted()))


@of_organization.get("")
@atomic(Permission.ORGANIZATION_READ)
async def get_organization_by_id(tx: Tx) -> OrganizationEnvelope:
    """Read an organisation's settings."""
    return OrganizationEnvelope.of(await tenancy.get_organization(tx))


@of_organization.put("")
@atomic(Permission.ORGANIZATION_WRITE, changes=ORGANIZATION)
async def update_organization_by_id(tx: Tx, body: OrganizationIn) -> OrganizationEnvelope:
    """Change what is sent. Subscriptions keep the time zone that they began with."""
    return OrganizationEnvelope.of(await tenancy.update_organization(tx, body.changes()))
