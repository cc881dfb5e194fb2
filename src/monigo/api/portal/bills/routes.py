"""Routes of a customer's own bills: what the merchant owes the customer."""

from uuid import UUID

from fastapi import APIRouter

from monigo import invoicing, payouts
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.portal.bills.schemas import PortalBillEnvelope, PortalBillList, PortalBillOut
from monigo.api.portal.paging import PortalPaging, head_of
from monigo.api.portal.routing import PortalRoute, check_own, own_customer
from monigo.api.portal.schemas import PortalTransactionList, PortalTransactionOut
from monigo.catalog import PlanType
from monigo.core.access import Permission
from monigo.core.errors import not_found
from monigo.core.paging import Page
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceFilter, InvoiceStatus
from monigo.payouts import Payout

router = APIRouter(route_class=PortalRoute, tags=["portal"], prefix="/bills")


async def _own(tx: Transaction, bill_id: UUID) -> Invoice:
    """One of the customer's own that it sees. Raises not_found."""
    bill = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    check_own(tx, bill.customer_id, "bill")
    if bill.status is InvoiceStatus.DRAFT or not bill.totals.total:
        raise not_found("bill")
    return bill


def _out(bill: Invoice, payout: Payout | None) -> PortalBillOut:
    return PortalBillOut.of(bill, is_held=payout is not None and payout.hold is not None)


@router.get("", response_model=PortalBillList)
@atomic(Permission.PORTAL_READ)
async def list_own_bills(tx: Tx, paging: PortalPaging) -> ListResponse:
    """List what the customer is or was owed, newest first; no drafts."""
    wanted = InvoiceFilter(PlanType.PAYOUT, str(own_customer(tx)), is_for_customer=True)
    page = await invoicing.list_page(tx, paging, wanted)
    found = await payouts.get_payouts(tx, [bill.id for bill in page.items])
    return ListResponse(
        "bills", page, lambda bill: _out(bill, found.get(bill.id)), head=head_of(page)
    )


@router.get("/{bill_id}")
@atomic(Permission.PORTAL_READ)
async def get_own_bill(tx: Tx, bill_id: Id) -> PortalBillEnvelope:
    """Read one of the customer's bills with its lines."""
    bill = await _own(tx, bill_id)
    found = await payouts.get_payouts(tx, [bill.id])
    return PortalBillEnvelope(bill=_out(bill, found.get(bill.id)))


@router.get("/{bill_id}/transactions", response_model=PortalTransactionList)
@atomic(Permission.PORTAL_READ)
async def list_own_bill_transactions(tx: Tx, bill_id: Id) -> ListResponse:
    """List the transfers that were to pay one of the customer's bills, newest first."""
    bill = await _own(tx, bill_id)
    found = await payouts.list_transactions(tx, bill.id)
    page = Page(found, len(found), 0)
    return ListResponse(
        "transactions",
        page,
        lambda one: PortalTransactionOut.of_transfer(tx, one),
        head=head_of(page),
    )
