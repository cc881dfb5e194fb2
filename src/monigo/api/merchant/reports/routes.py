"""Routes of the reports on the books."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import payouts, reports
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import InstantIn
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.reports.schemas import (
    DebtList,
    DebtOut,
    TrialBalanceEnvelope,
    WithheldTaxList,
    WithheldTaxOut,
)
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["reports"])

# Of which there are bills, by far.
YEAR_MIN, YEAR_MAX = 2000, 2999


@router.get("/reports/trial-balance")
@atomic(Permission.REPORTS_READ)
async def get_trial_balance(
    tx: Tx, at: Annotated[InstantIn, Query()] = None
) -> TrialBalanceEnvelope:
    """Sum up all accounts by kind and currency, now or as they stood at an instant."""
    return TrialBalanceEnvelope.of(tx, await reports.accounting.trial_balance(tx, at))


@router.get("/reports/receivables-aging", response_model=DebtList)
@atomic(Permission.REPORTS_READ)
async def list_receivables(tx: Tx, paging: Paging) -> ListResponse:
    """List what customers owe by how long it is overdue, those who owe longest first.

    Uncollectible invoices are written off, and not among them. What providers took back of payments
    is, as far as the customer's wallet could not give it; and what payees were paid twice.
    """
    page = await reports.accounting.receivables_aging(tx, paging)
    return ListResponse("receivables", page, DebtOut.of)


@router.get("/reports/withholding-tax", response_model=WithheldTaxList)
@atomic(Permission.REPORTS_READ)
async def list_withholding_tax(
    tx: Tx,
    paging: Paging,
    year: Annotated[int | None, Query(ge=YEAR_MIN, le=YEAR_MAX)] = None,
) -> ListResponse:
    """List the tax withheld of bills that became final in a year, by payee; usually the present.

    The year is of the organisation's time zone; voided bills are left out.
    """
    page = await payouts.statements.list_withheld(tx, year, paging)
    return ListResponse("withholding_tax", page, WithheldTaxOut.of)
