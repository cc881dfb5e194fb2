"""Routes of the organisation's own settings."""

from fastapi import APIRouter

from monigo import tenancy
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.merchant.organization.schemas import (
    ORGANIZATION,
    OrganizationEnvelope,
    OrganizationIn,
)
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["organization"])


@router.get("/organization")
@atomic(Permission.ORGANIZATION_READ)
async def get_organization(tx: Tx) -> OrganizationEnvelope:
    """Read the settings of the key's organisation."""
    return OrganizationEnvelope.of(await tenancy.get_organization(tx))


@router.patch("/organization")
@atomic(Permission.ORGANIZATION_WRITE, changes=ORGANIZATION)
async def update_organization(tx: Tx, body: OrganizationIn) -> OrganizationEnvelope:
    """Change what is sent. Subscriptions keep the time zone that they began with."""
    return OrganizationEnvelope.of(await tenancy.update_organization(tx, body.changes()))
