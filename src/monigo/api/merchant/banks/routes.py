"""Routes of banks: where payouts can go, and by which codes."""

from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from monigo.api.kernel.routes.declarations import Outside, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.merchant.banks.schemas import BankList, BankOut
from monigo.core.access import Permission
from monigo.infra.db import Transaction
from monigo.payments import payout_accounts
from monigo.payments.connections import Connection
from monigo.payments.payout_accounts import Bank
from monigo.providers.port import Banks, PayoutMethod

router = APIRouter(route_class=TenantRoute, tags=["payouts"])

CountryQuery = Annotated[str, Query(pattern="^[A-Z]{2}$", description="ISO 3166", examples=["NG"])]
CurrencyQuery = Annotated[str, Query(pattern="^[A-Z]{3}$", examples=["NGN"])]


class _Wanted(Struct, frozen=True):
    """Whose banks are listed."""

    connection: Connection
    banks: Banks


async def _list(outside: Outside, wanted: _Wanted) -> tuple[Bank, ...]:
    services = outside.services
    return await services.banks.list_of(
        services.database, outside.tenant, wanted.connection, wanted.banks
    )


async def _listed(_tx: Transaction, wanted: _Wanted, found: tuple[Bank, ...]) -> Response:
    shown = [BankOut.of(one) for one in found]
    return Answer(BankList(provider=wanted.connection.provider.value, banks=shown), 200)


@router.get("/banks", response_model=BankList)
@staged(Permission.PAYOUT_ACCOUNTS_READ, changes=None, call=_list, record=_listed)
async def list_banks(
    tx: Tx,
    country: CountryQuery,
    currency: CurrencyQuery,
    payout_method: Annotated[PayoutMethod, Query()] = PayoutMethod.BANK_TRANSFER,
) -> _Wanted:
    """List the banks or networks of a country that payouts in a currency go to, with their codes.

    Each provider has codes of its own; these are of the one that pays out the currency.
    """
    connection = await payout_accounts.paying_connection(tx, country, currency)
    return _Wanted(connection, Banks(country=country, currency=currency, method=payout_method))
