"""Routes of payout accounts: where payees get their money."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.responses import Response

from monigo.api.kernel.http.errors import error_response, plain_error
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.merchant.customers.payout_accounts.schemas import (
    PAYOUT_ACCOUNT,
    PayoutAccountEnvelope,
    PayoutAccountIn,
    PayoutAccountList,
    PayoutAccountOut,
    PayoutAccountUpdate,
)
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.core.errors import not_found
from monigo.core.ids import PayoutAccountId
from monigo.core.paging import Page
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.payments import payout_accounts
from monigo.payments.payout_accounts import Asked, ResolutionState

router = APIRouter(
    route_class=TenantRoute, tags=["payouts"], prefix="/customers/{customer_id}/payout-accounts"
)
# A provider that did not answer has mostly recovered by then.
RETRY_SECONDS = 10


# Async, because FastAPI sends plain functions to a thread.
async def _vault(request: Request) -> Vault:
    services: Services = request.app.state.services
    return services.desk.vault


NumberVault = Annotated[Vault, Depends(_vault)]


class AccountIntent(Struct, frozen=True):
    """The account whose holder's name is asked for."""

    account_id: PayoutAccountId


class _Answered(Struct, frozen=True):
    vault: Vault
    asked: Asked | None


@router.get("", response_model=PayoutAccountList)
@atomic(Permission.PAYOUT_ACCOUNTS_READ)
async def list_payout_accounts(tx: Tx, vault: NumberVault, customer_id: Name) -> ListResponse:
    """List a customer's payout accounts, oldest first."""
    found = await payout_accounts.list_of(tx, customer_id)
    page = Page(found, len(found), 0)
    return ListResponse("payout_accounts", page, lambda one: PayoutAccountOut.of(tx, vault, one))


@router.post("", status_code=201)
@atomic(Permission.PAYOUT_ACCOUNTS_WRITE, changes=PAYOUT_ACCOUNT, has_secret=True)
async def create_payout_account(
    tx: Tx, vault: NumberVault, customer_id: Name, body: PayoutAccountIn
) -> PayoutAccountEnvelope:
    """Add an account that a customer is paid to; its holder's name is asked for at the provider."""
    account = await payout_accounts.add(tx, vault, customer_id, body.details())
    return PayoutAccountEnvelope(payout_account=PayoutAccountOut.of(tx, vault, account))


@router.get("/{payout_account_id}")
@atomic(Permission.PAYOUT_ACCOUNTS_READ)
async def get_payout_account(
    tx: Tx, vault: NumberVault, customer_id: Name, payout_account_id: Id
) -> PayoutAccountEnvelope:
    """Read a payout account, and in whose name the provider says it is."""
    account = await payout_accounts.get(tx, customer_id, payout_account_id)
    return PayoutAccountEnvelope(payout_account=PayoutAccountOut.of(tx, vault, account))


@router.put("/{payout_account_id}")
@atomic(Permission.PAYOUT_ACCOUNTS_WRITE, changes=PAYOUT_ACCOUNT, has_secret=True)
async def update_payout_account(
    tx: Tx, vault: NumberVault, customer_id: Name, payout_account_id: Id, body: PayoutAccountUpdate
) -> PayoutAccountEnvelope:
    """Change what is sent, and leave the rest; what is under way goes to the account as it was."""
    account = await payout_accounts.change(
        tx, vault, customer_id, payout_account_id, body.changes()
    )
    return PayoutAccountEnvelope(payout_account=PayoutAccountOut.of(tx, vault, account))


@router.delete("/{payout_account_id}")
@atomic(Permission.PAYOUT_ACCOUNTS_WRITE, changes=PAYOUT_ACCOUNT)
async def delete_payout_account(tx: Tx, customer_id: Name, payout_account_id: Id) -> Message:
    """Pay to an account no more."""
    await payout_accounts.delete(tx, customer_id, payout_account_id)
    return Message(message="payout account deleted")


async def _ask(outside: Outside, intent: AccountIntent) -> _Answered:
    services = outside.services
    asked = await payout_accounts.ask_name(
        services.desk, services.database, outside.tenant, intent.account_id
    )
    return _Answered(services.desk.vault, asked)


async def _record(tx: Transaction, _intent: AccountIntent, answered: _Answered) -> Response:
    asked = answered.asked
    account = asked and await payout_accounts.record_name(tx, asked)
    if account is None:
        return error_response(not_found("payout_account"))
    if account.resolution.state is ResolutionState.UNRESOLVED:
        said = account.resolution.reason or "the provider has not answered yet"
        return plain_error(503, "provider_unknown", said, {"Retry-After": str(RETRY_SECONDS)})
    shown = PayoutAccountOut.of(tx, answered.vault, account)
    return Answer(PayoutAccountEnvelope(payout_account=shown), 200)


@router.post("/{payout_account_id}/resolve", response_model=PayoutAccountEnvelope)
@staged(Permission.PAYOUT_ACCOUNTS_WRITE, changes=PAYOUT_ACCOUNT, call=_ask, record=_record)
async def resolve_payout_account(tx: Tx, customer_id: Name, payout_account_id: Id) -> AccountIntent:
    """Ask the provider in whose name an account is. No body. Another name forbids nothing."""
    account = await payout_accounts.get(tx, customer_id, payout_account_id)
    return AccountIntent(account.id)
