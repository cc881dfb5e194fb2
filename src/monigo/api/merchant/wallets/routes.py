"""Routes of wallets; what moves their money stands in `movements` and `reservations`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from monigo import wallets
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.csv_stream import CSV_RESPONSES, CsvStream, Marked
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.paging import CursorQuery, EntryPaging, cursor_text, parse_cursor
from monigo.api.merchant.wallets.schemas import (
    WALLET,
    EntryOut,
    TransactionList,
    WalletChangeIn,
    WalletDetails,
    WalletEnvelope,
    WalletIn,
    WalletList,
    WalletOut,
)
from monigo.api.merchant.wallets.virtual_accounts.schemas import VirtualAccountOut
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.payments import accounts

router = APIRouter(route_class=TenantRoute, tags=["wallets"])


@router.post("/wallets")
@atomic(Permission.WALLETS_WRITE, changes=WALLET)
async def get_or_create_wallet(tx: Tx, body: WalletIn) -> WalletEnvelope:
    """Get the customer's wallet in a currency; it is made if there is none."""
    wallet = await wallets.get_or_create(tx, body.customer_id, body.currency)
    return WalletEnvelope(wallet=WalletOut.of(tx.tenant, wallet))


@router.get("/wallets", response_model=WalletList)
@atomic(Permission.WALLETS_READ)
async def list_wallets(
    tx: Tx,
    paging: Paging,
    customer_id: Annotated[Name | None, Query(description="id or external_id")] = None,
) -> ListResponse:
    """List wallets, newest first; 404 for an unknown customer."""
    if customer_id:
        page = await wallets.list_of_customer(tx, customer_id, paging)
    else:
        page = await wallets.list_page(tx, paging)
    return ListResponse("wallets", page, lambda item: WalletOut.of(tx.tenant, item))


@router.get("/customers/{customer_id}/wallets", response_model=WalletList)
@atomic(Permission.WALLETS_READ)
async def list_customer_wallets(tx: Tx, customer_id: Name, paging: Paging) -> ListResponse:
    """List a customer's wallets, newest first."""
    page = await wallets.list_of_customer(tx, customer_id, paging)
    return ListResponse("wallets", page, lambda item: WalletOut.of(tx.tenant, item))


@router.get("/wallets/{wallet_id}")
@atomic(Permission.WALLETS_READ)
async def get_wallet(tx: Tx, wallet_id: Id) -> WalletDetails:
    """Read a wallet, with the bank accounts whose deposits fund it."""
    wallet = await wallets.get(tx, wallet_id)
    paid_into = await accounts.list_of_wallet(tx, wallet.id)
    return WalletDetails(
        wallet=WalletOut.of(tx.tenant, wallet),
        virtual_accounts=[VirtualAccountOut.of(tx.tenant, one) for one in paid_into],
    )


@router.patch("/wallets/{wallet_id}")
@atomic(Permission.WALLETS_WRITE, changes=WALLET)
async def update_wallet(tx: Tx, wallet_id: Id, body: WalletChangeIn) -> WalletEnvelope:
    """Suspend, close or reactivate a wallet. Only an active one's money moves."""
    wallet = await wallets.set_status(tx, wallet_id, body.status)
    return WalletEnvelope(wallet=WalletOut.of(tx.tenant, wallet))


@router.get("/wallets/{wallet_id}/transactions")
@atomic(Permission.WALLETS_READ)
async def list_wallet_transactions(
    tx: Tx, wallet_id: Id, paging: EntryPaging, cursor: CursorQuery = ""
) -> TransactionList:
    """List what moved a wallet's balance, newest first.

    Going on with `next_cursor` neither repeats nor skips an entry, whatever moves meanwhile.
    """
    last = parse_cursor(cursor, wallet_id)
    page = await wallets.list_entries(tx, wallet_id, paging, last=last)
    return TransactionList(
        transactions=[EntryOut.of(tx.tenant, entry) for entry in page.items],
        total=page.total,
        limit=paging.limit,
        offset=page.offset,
        next_cursor=cursor_text(wallet_id, page.total - page.offset - len(page.items)),
    )


@router.get(
    "/wallets/{wallet_id}/statement.csv",
    response_class=Response,  # Or errors would be documented as CSV, too.
    responses=CSV_RESPONSES,
)
@atomic(Permission.WALLETS_READ)
async def export_wallet_statement(
    tx: Tx, request: Request, wallet_id: Id, *, is_marked: Marked = False
) -> CsvStream:
    """Stream everything that moved a wallet's balance as CSV, oldest first.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    services: Services = request.app.state.services
    wallet = await wallets.get(tx, wallet_id)
    # This transaction ends before the body is sent: the statement opens its own ones.
    return CsvStream(
        wallets.statement_csv(services.database, tx.tenant, wallet),
        name="statement",
        is_marked=is_marked,
    )
