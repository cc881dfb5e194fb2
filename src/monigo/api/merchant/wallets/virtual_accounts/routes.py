"""Routes of virtual accounts: a wallet's bank accounts at providers."""

from fastapi import APIRouter, Response
from msgspec import Struct

from monigo import collection, wallets
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.http.errors import UNSUPPORTED_RESPONSE, error_response, plain_error
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.virtual_accounts.schemas import (
    VirtualAccountEnvelope,
    VirtualAccountIn,
    VirtualAccountList,
    VirtualAccountOut,
)
from monigo.core.access import Permission
from monigo.core.errors import invalid
from monigo.core.ids import VirtualAccountId
from monigo.core.paging import page_of
from monigo.infra.db import Transaction
from monigo.payments import accounts
from monigo.payments.accounts import AccountState, VirtualAccount

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

VIRTUAL_ACCOUNT = Changes(
    "virtual_account",
    VirtualAccount,
    lambda tx, account: VirtualAccountOut.of(tx.tenant, account),
)
# A provider that did not answer has mostly recovered by then.
RETRY_SECONDS = 10


class AccountIntent(Struct, frozen=True):
    """The account that a request is about. Proofs of identity stand in the request only."""

    account_id: VirtualAccountId


async def _open(outside: Outside, intent: AccountIntent) -> VirtualAccount:
    """Ask the provider, with the proofs of identity that came with this very request."""
    body = VirtualAccountIn.model_validate(await outside.request.json())
    services = outside.services
    return await accounts.open_at_provider(
        services.desk, services.database, outside.tenant, intent.account_id, body.identity()
    )


async def _opened(tx: Transaction, _intent: AccountIntent, account: VirtualAccount) -> Response:
    """The account, the provider's refusal, or that it is not known yet what it did."""
    if account.state is AccountState.FAILED:
        return error_response(invalid({account.failure_field: account.failure_reason}))
    if not account.is_open:
        said = "the provider has not answered yet; ask again for the same account"
        return plain_error(503, "provider_unknown", said, {"Retry-After": str(RETRY_SECONDS)})
    out = VirtualAccountOut.of(tx.tenant, account)
    return Answer(VirtualAccountEnvelope(virtual_account=out), 201)


@router.post(
    "/wallets/{wallet_id}/virtual-accounts",
    status_code=201,
    response_model=VirtualAccountEnvelope,
    responses=UNSUPPORTED_RESPONSE,
)
@staged(Permission.WALLETS_WRITE, changes=VIRTUAL_ACCOUNT, call=_open, record=_opened)
async def create_virtual_account(tx: Tx, wallet_id: Id, body: VirtualAccountIn) -> AccountIntent:
    """Open a bank account whose deposits fund the wallet; the one that it has at the provider."""
    account = await collection.funding.want_account(
        tx, wallet_id, body.provider.value, body.currency
    )
    return AccountIntent(account.id)


@router.get("/wallets/{wallet_id}/virtual-accounts", response_model=VirtualAccountList)
@atomic(Permission.WALLETS_READ)
async def list_virtual_accounts(tx: Tx, wallet_id: Id, paging: Paging) -> ListResponse:
    """List a wallet's bank accounts, newest first; those that a provider refused are left out."""
    wallet = await wallets.get(tx, wallet_id)
    page = page_of(await accounts.list_of_wallet(tx, wallet.id), paging)
    return ListResponse(
        "virtual_accounts", page, lambda item: VirtualAccountOut.of(tx.tenant, item)
    )


async def _close(outside: Outside, intent: AccountIntent) -> VirtualAccount:
    services = outside.services
    return await accounts.close_at_provider(
        services.desk, services.database, outside.tenant, intent.account_id
    )


async def _closed(_tx: Transaction, _intent: AccountIntent, account: VirtualAccount) -> Response:
    """That it is closed, or will be as soon as the provider answers."""
    if account.state is AccountState.CLOSING:
        return Answer(Message(message="the virtual account is being closed"), 202)
    return Answer(Message(message="virtual account closed"))


@router.delete(
    "/wallets/{wallet_id}/virtual-accounts/{virtual_account_id}",
    response_model=Message,
    responses={202: {"model": Message, "description": "The provider has not answered yet."}},
)
@staged(Permission.WALLETS_WRITE, changes=VIRTUAL_ACCOUNT, call=_close, record=_closed)
async def close_virtual_account(tx: Tx, wallet_id: Id, virtual_account_id: Id) -> AccountIntent:
    """Close a bank account at its provider. Money that still comes into it is credited."""
    account = await collection.funding.close_account(tx, wallet_id, virtual_account_id)
    return AccountIntent(account.id)
