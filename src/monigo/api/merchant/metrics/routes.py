"""Routes of metrics."""

from fastapi import APIRouter

from monigo import catalog, metering
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.metrics.schemas import MetricEnvelope, MetricIn, MetricList, MetricOut
from monigo.catalog import Metric, MetricDefinition
from monigo.core.access import Permission
from monigo.core.aggregation import Aggregation

router = APIRouter(route_class=TenantRoute, tags=["metrics"])

METRIC = Changes("metric", Metric, MetricOut.of)


@router.post("/metrics", status_code=201)
@atomic(Permission.METRICS_WRITE, changes=METRIC)
async def create_metric(tx: Tx, body: MetricIn) -> MetricEnvelope:
    """Define a metric. It counts events that are stored already, too."""
    definition = MetricDefinition(
        name=body.name or "",
        event_name=body.event_name or "",
        aggregation=body.aggregation or Aggregation.COUNT,
        aggregation_property=body.aggregation_property or "",
        description=body.description or "",
        filters=body.conditions(),
        group_by=body.group_by or "",
    )
    return MetricEnvelope(metric=MetricOut.of(tx, await metering.define_metric(tx, definition)))


@router.get("/metrics", response_model=MetricList)
@atomic(Permission.METRICS_READ)
async def list_metrics(tx: Tx, paging: Paging) -> ListResponse:
    """List metrics, newest first."""
    page = await catalog.list_metrics(tx, paging)
    return ListResponse("metrics", page, lambda item: MetricOut.of(tx, item))


@router.get("/metrics/{metric_id}")
@atomic(Permission.METRICS_READ)
async def get_metric(tx: Tx, metric_id: Id) -> MetricEnvelope:
    """Read a metric."""
    return MetricEnvelope(metric=MetricOut.of(tx, await catalog.get_metric(tx, metric_id)))


@router.put("/metrics/{metric_id}")
@atomic(Permission.METRICS_WRITE, changes=METRIC)
async def update_metric(tx: Tx, metric_id: Id, body: MetricIn) -> MetricEnvelope:
    """Change what is sent; running periods are measured by the new definition."""
    metric = await metering.redefine_metric(tx, metric_id, body.definition())
    return MetricEnvelope(metric=MetricOut.of(tx, metric))


@router.delete("/metrics/{metric_id}")
@atomic(Permission.METRICS_WRITE, changes=METRIC)
async def delete_metric(tx: Tx, metric_id: Id) -> Message:
    """Hide a metric, unless a plan has a price on it."""
    await catalog.delete_metric(tx, metric_id)
    return Message(message="metric deleted")
