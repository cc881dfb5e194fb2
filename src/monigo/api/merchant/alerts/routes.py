"""Routes of alerts, and of the thresholds that were reached."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from monigo import alerts
from monigo.alerts import (
    Alert,
    AlertFilter,
    AlertScope,
    AlertState,
    AlertType,
    NewAlert,
    StateFilter,
    StateStatus,
)
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, InstantIn, Name, also_spelled
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.alerts.schemas import (
    AlertEnvelope,
    AlertIn,
    AlertList,
    AlertOut,
    AlertStateEnvelope,
    AlertStateList,
    AlertStateOut,
    AlertSummaryEnvelope,
    AlertSummaryOut,
    ThresholdsIn,
)
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["alerts"])

ALERT = Changes("alert", Alert, AlertOut.of)
ALERT_STATE = Changes("alert_state", AlertState, AlertStateOut.of)

TypeQuery = Annotated[AlertType | None, also_spelled({})]
ScopeQuery = Annotated[AlertScope | None, also_spelled({})]
StatusQuery = Annotated[StateStatus | None, also_spelled({})]


@router.post("/alerts", status_code=201)
@atomic(Permission.ALERTS_WRITE, changes=ALERT)
async def create_alert(tx: Tx, body: AlertIn) -> AlertEnvelope:
    """Have thresholds watched; 409 where the same is watched of the same scope already."""
    wanted = NewAlert(
        type=body.type,
        scope=body.scope,
        scope_id=body.scope_id,
        metric_id=body.metric_id or "",
        currency=body.currency or "",
        thresholds=body.read(),
        require_acknowledgment=body.require_acknowledgment or False,
    )
    return AlertEnvelope(alert=AlertOut.of(tx, await alerts.create(tx, wanted)))


async def _alert_filter(
    type: Annotated[TypeQuery, Query()] = None,  # noqa: A002 - the contract's name
    scope: Annotated[ScopeQuery, Query()] = None,
    customer_id: Annotated[Name | None, Query()] = None,
    subscription_id: Annotated[Name | None, Query()] = None,
    plan_id: Annotated[Name | None, Query()] = None,
) -> AlertFilter:
    return AlertFilter(type, scope, customer_id or None, subscription_id or None, plan_id or None)


# Async, because FastAPI sends plain functions to a thread.
async def _state_filter(
    type: Annotated[TypeQuery, Query()] = None,  # noqa: A002 - the contract's name
    customer_id: Annotated[Name | None, Query()] = None,
    status: Annotated[StatusQuery, Query()] = None,
    date_from: Annotated[InstantIn, Query()] = None,
    date_to: Annotated[InstantIn, Query()] = None,
) -> StateFilter:
    return StateFilter(type, customer_id or None, status, date_from, date_to)


@router.get("/alerts", response_model=AlertList)
@atomic(Permission.ALERTS_READ)
async def list_alerts(
    tx: Tx, paging: Paging, wanted: Annotated[AlertFilter, Depends(_alert_filter)]
) -> ListResponse:
    """List alerts, newest first."""
    page = await alerts.list_page(tx, paging, wanted)
    return ListResponse("alerts", page, lambda item: AlertOut.of(tx, item))


@router.get("/alerts/triggered", response_model=AlertStateList)
@atomic(Permission.ALERTS_READ)
async def list_triggered_alerts(
    tx: Tx, paging: Paging, wanted: Annotated[StateFilter, Depends(_state_filter)]
) -> ListResponse:
    """List the thresholds that were reached, newest first."""
    page = await alerts.list_states(tx, paging, wanted)
    return ListResponse("states", page, lambda item: AlertStateOut.of(tx, item))


@router.get("/alerts/triggered/summary")
@atomic(Permission.ALERTS_READ)
async def summarize_triggered_alerts(tx: Tx) -> AlertSummaryEnvelope:
    """Count the thresholds that were reached, by where they stand."""
    return AlertSummaryEnvelope(summary=AlertSummaryOut.of(await alerts.summarize(tx)))


@router.post("/alerts/triggered/{alert_state_id}/acknowledge")
@atomic(Permission.ALERTS_WRITE, changes=ALERT_STATE)
async def acknowledge_alert_state(tx: Tx, alert_state_id: Id) -> AlertStateEnvelope:
    """Say that a threshold that was reached has been seen."""
    state = await alerts.acknowledge_state(tx, alert_state_id)
    return AlertStateEnvelope(state=AlertStateOut.of(tx, state))


@router.get("/alerts/{alert_id}")
@atomic(Permission.ALERTS_READ)
async def get_alert(tx: Tx, alert_id: Id) -> AlertEnvelope:
    """Read an alert."""
    return AlertEnvelope(alert=AlertOut.of(tx, await alerts.get(tx, alert_id)))


@router.put("/alerts/{alert_id}")
@atomic(Permission.ALERTS_WRITE, changes=ALERT)
async def update_alert(tx: Tx, alert_id: Id, body: ThresholdsIn) -> AlertEnvelope:
    """Replace an alert's thresholds; a value that was reached in this period stays so."""
    alert = await alerts.set_thresholds(tx, alert_id, body.read())
    return AlertEnvelope(alert=AlertOut.of(tx, alert))


@router.delete("/alerts/{alert_id}", status_code=204)
@atomic(Permission.ALERTS_WRITE, changes=ALERT)
async def delete_alert(tx: Tx, alert_id: Id) -> Response:
    """Hide an alert; what it found stays listed."""
    await alerts.delete(tx, alert_id)
    return Response(status_code=204)


@router.post("/alerts/{alert_id}/enable")
@atomic(Permission.ALERTS_WRITE, changes=ALERT)
async def enable_alert(tx: Tx, alert_id: Id) -> AlertEnvelope:
    """Have an alert watch again."""
    return AlertEnvelope(alert=AlertOut.of(tx, await alerts.enable(tx, alert_id, wanted=True)))


@router.post("/alerts/{alert_id}/disable")
@atomic(Permission.ALERTS_WRITE, changes=ALERT)
async def disable_alert(tx: Tx, alert_id: Id) -> AlertEnvelope:
    """Have an alert watch nothing."""
    return AlertEnvelope(alert=AlertOut.of(tx, await alerts.enable(tx, alert_id, wanted=False)))


@router.post("/alerts/{alert_id}/acknowledge")
@atomic(Permission.ALERTS_WRITE, changes=ALERT)
async def acknowledge_alert(tx: Tx, alert_id: Id) -> AlertEnvelope:
    """Say that all that an alert has triggered has been seen."""
    return AlertEnvelope(alert=AlertOut.of(tx, await alerts.acknowledge(tx, alert_id)))
