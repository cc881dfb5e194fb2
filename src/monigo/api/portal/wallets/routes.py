"""Routes of a customer's own wallets."""

from uuid import UUID

from fastapi import APIRouter

from monigo import collection, wallets
from monigo.api.kernel.routes.declarations import atomic, staged
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.merchant.wallets.funding.asking import (
    CHARGE,
    FundingIntent,
    funding_opened,
    open_funding,
)
from monigo.api.merchant.wallets.funding.schemas import FundIn, FundingOut
from monigo.api.portal.paging import PortalPaging, head_of
from monigo.api.portal.routing import PortalRoute, check_own, own_customer
from monigo.api.portal.wallets.schemas import (
    PortalEntryList,
    PortalEntryOut,
    PortalWalletEnvelope,
    PortalWalletList,
    PortalWalletOut,
)
from monigo.core.access import Permission
from monigo.infra.db import Transaction
from monigo.payments import accounts
from monigo.wallets import Wallet

router = APIRouter(route_class=PortalRoute, tags=["portal"], prefix="/wallets")


async def _own(tx: Transaction, wallet_id: UUID) -> Wallet:
    """One of the customer's own. Raises not_found."""
    wallet = await wallets.get(tx, wallet_id)
    check_own(tx, wallet.customer_id, "wallet")
    return wallet


@router.get("", response_model=PortalWalletList)
@atomic(Permission.PORTAL_READ)
async def list_own_wallets(tx: Tx, paging: PortalPaging) -> ListResponse:
    """List the customer's wallets, newest first, with the accounts that they are paid into by."""
    page = await wallets.list_of_customer(tx, str(own_customer(tx)), paging)
    into = {one.id: await accounts.list_of_wallet(tx, one.id) for one in page.items}
    return ListResponse(
        "wallets", page, lambda one: PortalWalletOut.of(one, into[one.id]), head=head_of(page)
    )


@router.get("/{wallet_id}")
@atomic(Permission.PORTAL_READ)
async def get_own_wallet(tx: Tx, wallet_id: Id) -> PortalWalletEnvelope:
    """Read one of the customer's wallets."""
    wallet = await _own(tx, wallet_id)
    into = await accounts.list_of_wallet(tx, wallet.id)
    return PortalWalletEnvelope(wallet=PortalWalletOut.of(wallet, into))


@router.get("/{wallet_id}/transactions", response_model=PortalEntryList)
@atomic(Permission.PORTAL_READ)
async def list_own_wallet_transactions(tx: Tx, wallet_id: Id, paging: PortalPaging) -> ListResponse:
    """List what moved the balance of one of the customer's wallets, newest first."""
    wallet = await _own(tx, wallet_id)
    page = await wallets.list_entries(tx, wallet.id, paging)
    return ListResponse("entries", page, PortalEntryOut.of, head=head_of(page))


@router.post("/{wallet_id}/fund", response_model=FundingOut)
@staged(Permission.PORTAL_PAY, changes=CHARGE, call=open_funding, record=funding_opened)
async def fund_own_wallet(tx: Tx, wallet_id: Id, body: FundIn) -> FundingIntent:
    """Make a link, or a session for the provider's widget, by which the customer pays in.

    The same asked for again within a minute gets the same link.
    """
    wallet = await _own(tx, wallet_id)
    charge = await collection.funding.fund(tx, wallet.id, body.funding(), currency=body.currency)
    return FundingIntent(charge.id, body.inline)
