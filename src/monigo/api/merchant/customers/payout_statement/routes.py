"""Routes of payees' statements."""

from fastapi import APIRouter, Request, Response

from monigo import customers, payouts
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.csv_stream import CSV_RESPONSES, CsvStream, Marked
from monigo.api.kernel.wire.incoming import Name
from monigo.bootstrap import Services
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["payouts"])


@router.get(
    "/customers/{customer_id}/payout-statement.csv",
    response_class=Response,  # Or errors would be documented as CSV, too.
    responses=CSV_RESPONSES,
)
@atomic(Permission.BILLS_READ)
async def export_payout_statement(
    tx: Tx, request: Request, customer_id: Name, *, is_marked: Marked = False
) -> CsvStream:
    """Stream what a payee was owed and got as CSV, oldest first, with what is owed after it.

    What is on its way counts as owed until it arrives.
    """
    services: Services = request.app.state.services
    payee = await customers.get(tx, customer_id)
    # This transaction ends before the body is sent: the statement opens its own ones.
    lines = payouts.statements.statement_csv(services.database, tx.tenant, payee.id)
    return CsvStream(lines, name="payout-statement", is_marked=is_marked)
