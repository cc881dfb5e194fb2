"""Routes that stream invoices, bills and revenue as CSV."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from monigo import invoicing
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.csv_stream import CSV_RESPONSES, CsvStream, Marked
from monigo.api.kernel.wire.incoming import Name
from monigo.api.kernel.wire.ranges import Range, range_start
from monigo.api.merchant.bills import schemas as bills
from monigo.api.merchant.invoices import schemas as invoices
from monigo.bootstrap import Services
from monigo.catalog import PlanType
from monigo.core.access import Permission
from monigo.invoicing import InvoiceFilter

router = APIRouter(route_class=TenantRoute)

# Each export opens its own transactions: the request's ends before the body is sent. `Response` as
# the class, or errors would be documented as CSV, too.


@router.get("/invoices/export", tags=["invoices"], response_class=Response, responses=CSV_RESPONSES)
@atomic(Permission.INVOICES_READ)
async def export_invoices(
    tx: Tx,
    request: Request,
    status: Annotated[invoices.StatusQuery, Query()] = None,
    customer_id: Annotated[Name | None, Query()] = None,
    *,
    is_marked: Marked = False,
) -> CsvStream:
    """Stream invoices as CSV, newest first.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    services: Services = request.app.state.services
    wanted = InvoiceFilter(PlanType.COLLECTION, customer_id or None, status)
    lines = invoicing.export_invoices(services.database, tx.tenant, wanted, {})
    return CsvStream(lines, name="invoices", is_marked=is_marked)


@router.get("/bills/export", tags=["bills"], response_class=Response, responses=CSV_RESPONSES)
@atomic(Permission.BILLS_READ)
async def export_bills(
    tx: Tx,
    request: Request,
    status: Annotated[bills.StatusQuery, Query()] = None,
    customer_id: Annotated[Name | None, Query()] = None,
    *,
    is_marked: Marked = False,
) -> CsvStream:
    """Stream bills as CSV, newest first.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    services: Services = request.app.state.services
    wanted = InvoiceFilter(PlanType.PAYOUT, customer_id or None, bills.parse_status(status))
    lines = invoicing.export_invoices(services.database, tx.tenant, wanted, bills.STATUS_NAMES)
    return CsvStream(lines, name="bills", is_marked=is_marked)


@router.get("/reports/export", tags=["reports"], response_class=Response, responses=CSV_RESPONSES)
@atomic(Permission.REPORTS_READ)
async def export_report(
    tx: Tx, request: Request, span: Range = "all", *, is_marked: Marked = False
) -> CsvStream:
    """Stream what was invoiced and paid, one row per month, currency and plan, as CSV.

    Months are whole, in the organisation's time zone; the first is that in which the range begins.
    """
    services: Services = request.app.state.services
    lines = invoicing.export_revenue(services.database, tx.tenant, await range_start(tx, span))
    return CsvStream(lines, name="revenue", is_marked=is_marked)
