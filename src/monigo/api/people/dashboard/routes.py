"""The route of the start page."""

from fastapi import APIRouter

from monigo import reports
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.ranges import DayRange, first_midnight
from monigo.api.people.dashboard.schemas import DashboardEnvelope
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["dashboard"])


@router.get("/dashboard")
@atomic(Permission.DASHBOARD_READ)
async def get_dashboard(tx: Tx, span: DayRange = "month") -> DashboardEnvelope:
    """Figures of today and of a range of days, amounts due, and work that needs a person."""
    since = await first_midnight(tx, span)
    return DashboardEnvelope.of(tx, await reports.dashboard.dashboard(tx, since))
