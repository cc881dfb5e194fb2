"""The banks and networks that a provider pays out to, remembered for a day."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from cachetools import TTLCache

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.infra.db import Database, Tenant, Transaction
from monigo.payments import connections
from monigo.payments.connections import Connection, Purpose
from monigo.providers.port import Bank, Banks, Intent, Outcome, PayoutMethod, Succeeded
from monigo.providers.registry import adapter_of

# Lists change a few times a year.
REMEMBERED_FOR = timedelta(days=1)
# Of providers, modes, countries and currencies.
LISTS_MAX = 1_000
RETRY_SECONDS = 10


class Desk(Protocol):
    """Asks providers."""

    async def ask(
        self, database: Database, tenant: Tenant, connection_id: UUID, intent: Intent
    ) -> Outcome:
        """What came of an intent."""
        ...


class BankDirectory:
    """Lists banks and networks by country and currency, as the providers that pay out do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known = TTLCache[tuple[object, ...], tuple[Bank, ...], float](
            LISTS_MAX, REMEMBERED_FOR.total_seconds()
        )

    async def list_of(
        self, database: Database, tenant: Tenant, connection: Connection, wanted: Banks
    ) -> tuple[Bank, ...]:
        """The banks of a connection's provider, or its networks where they are asked for.

        Raises:
            DomainError: unavailable, where the provider does not answer.
        """
        key = (connection.provider, tenant.is_test, wanted.country, wanted.currency, wanted.method)
        known = self._known.get(key)
        if known is not None:
            return known
        if wanted.method is PayoutMethod.MOBILE_MONEY:
            networks = adapter_of(connection.provider).capabilities.networks.get(wanted.currency)
            if networks is not None:
                return tuple(_network(code, wanted) for code in networks)
        answer = await self._desk.ask(database, tenant, connection.id, wanted)
        if not isinstance(answer, Succeeded) or not isinstance(answer.result, tuple):
            raise DomainError(
                ErrorKind.UNAVAILABLE,
                "provider_unknown",
                "the provider does not list its banks just now",
                retry_after_seconds=RETRY_SECONDS,
            )
        found = tuple(one for one in answer.result if isinstance(one, Bank))
        self._known[key] = found
        return found


async def paying_connection(tx: Transaction, country: str, currency: str) -> Connection:
    """The connection that pays out a currency to a country.

    Raises:
        DomainError: conflict, where there is none; invalid, for a country that it does not pay to.
    """
    connection = await connections.pick(
        tx, currency=currency, purpose=Purpose.PAY_OUT, is_for_reading=True
    )
    if connection is None:
        raise conflict("no_payout_connection", f"no payment connection pays out {currency}")
    capabilities = adapter_of(connection.provider).capabilities
    if country not in capabilities.pays_out:
        raise invalid({"country": f"{capabilities.title} does not pay out there"})
    return connection


def _network(code: str, wanted: Banks) -> Bank:
    return Bank(
        code=code,
        name=code.title(),
        country=wanted.country,
        currency=wanted.currency,
        method=PayoutMethod.MOBILE_MONEY,
    )
