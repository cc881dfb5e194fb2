"""Routes of the first steps of an organisation."""

from fastapi import APIRouter

from monigo import reports
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Name
from monigo.api.people.onboarding.schemas import (
    OnboardingStepIn,
    OnboardingStepOut,
    ProgressEnvelope,
)
from monigo.core.access import Permission
from monigo.reports import StepProgress

router = APIRouter(route_class=TenantRoute, tags=["onboarding"], prefix="/onboarding")

STEP = Changes(
    "onboarding_step",
    StepProgress,
    lambda _tx, progress: OnboardingStepOut.of(progress),
    lambda tx, _progress: tx.org_id,
    is_of_mode=False,
)


@router.get("/progress")
@atomic(Permission.ONBOARDING_READ)
async def get_onboarding_progress(tx: Tx) -> ProgressEnvelope:
    """List which of the first steps are done; a step is done once its object exists."""
    return ProgressEnvelope.of(await reports.onboarding.progress(tx))


_EXAMPLE = {"org_id": "01890a5d-ac96-774b-bcce-b302099a8057"}


@router.post(
    "/steps/{step_id}",
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}},
)
@atomic(Permission.ONBOARDING_WRITE, changes=STEP)
async def complete_onboarding_step(
    tx: Tx, step_id: Name, body: OnboardingStepIn | None = None
) -> ProgressEnvelope:
    """Mark a step as done by hand. What is done stays done."""
    del body  # It names the organisation, which the route has seen to.
    return ProgressEnvelope.of(await reports.onboarding.complete(tx, step_id))
