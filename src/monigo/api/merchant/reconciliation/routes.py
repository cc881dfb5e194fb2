"""The route of what reconciliation found."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging, counts
from monigo.api.merchant.reconciliation.schemas import ReconciliationList, ReconciliationRowOut
from monigo.core.access import Permission
from monigo.payments import connections, reconciliation

router = APIRouter(route_class=TenantRoute, tags=["provider events"])


@router.get(
    "/payment-connections/{connection_id}/reconciliation", response_model=ReconciliationList
)
@atomic(Permission.PROVIDER_EVENTS_READ)
async def list_reconciliation(
    tx: Tx,
    connection_id: Id,
    paging: Paging,
    open: Annotated[  # noqa: A002 - the query's name on the wire
        bool | None, Query(description="true: only what is a difference still")
    ] = None,
) -> ListResponse:
    """List where the provider's list and ours differ, newest first. Lists are compared daily."""
    connection = await connections.get(tx, connection_id)
    found = await reconciliation.list_page(tx, connection.id, paging, is_open=open)
    look = found.look
    head = {
        **counts(found.page),
        "last_looked_at": look and look.finished_at,
        "looked_since": look and look.since,
        "looked_until": look and look.until,
        "rows_listed": look.rows if look else 0,
    }
    return ListResponse("reconciliation", found.page, ReconciliationRowOut.of, head=head)
