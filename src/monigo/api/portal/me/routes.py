"""The route that says whose portal it is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta

from monigo import customers, portal_access, tenancy
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.api.portal.routing import PortalRoute, own_customer
from monigo.core.access import Permission
from monigo.core.ids import CustomerId, OrganizationId
from monigo.portal_access import Access

router = APIRouter(route_class=PortalRoute, tags=["portal"])


class PortalOut(Outgoing, frozen=True):
    """Whose portal it is, at whom, and until when this link opens it."""

    customer_id: CustomerId
    customer_name: str
    customer_email: str
    org_id: OrganizationId
    org_name: str
    is_test: bool
    token_label: str
    access: Annotated[Access, Meta(description="`read` may only look")]
    expires_at: Instant | None


@router.get("/me")
@atomic(Permission.PORTAL_READ)
async def get_portal(tx: Tx) -> PortalOut:
    """Read whose portal it is."""
    customer = await customers.get(tx, own_customer(tx))
    organization = await tenancy.get_organization(tx)
    token = await portal_access.get(tx, UUID(tx.principal.id))
    return PortalOut(
        customer_id=customer.id,
        customer_name=customer.details.name,
        customer_email=customer.details.email,
        org_id=tx.org_id,
        org_name=organization.name,
        is_test=tx.is_test,
        token_label=token.label,
        access=token.access,
        expires_at=token.expires_at,
    )
