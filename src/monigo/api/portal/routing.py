"""Portal routes: the holder of a customer's token calls, and acts for that customer alone."""

from typing import Annotated

from fastapi import Header, Request, Response

from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.requests import Handler, read_request
from monigo.api.kernel.routes.principals import authorized
from monigo.api.kernel.routes.tenant import TenantRoute
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, InvariantError, not_found
from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction

# An amount, an id, a bank account.
BODY_BYTES_MAX = 16 * 1024
TOKEN_HEADER = "x-portal-token"  # noqa: S105 - a header's name


class PortalRoute(TenantRoute):
    """A route that acts for the customer whose portal token the request carries."""

    async def _answer(self, request: Request, handle: Handler) -> Response:
        services: Services = request.app.state.services
        memory: BodyMemory = request.app.state.body_memory
        scope = request.scope
        address = request.app.state.addresses.of_request(scope["client"], scope["headers"])
        token = request.headers.get(TOKEN_HEADER, "")
        caller = await services.portal_tokens.find(token, address)

        async def check() -> None:
            async with services.database.transaction(caller.tenant) as tx:
                await authorized(services, tx, caller, self._permission)

        with memory.reader(caller.tenant.org_id) as reader:
            try:
                read = await read_request(request, reader, check, bytes_max=BODY_BYTES_MAX)
            except DomainError:
                await check()  # Who holds no valid token gets no other answer.
                raise
            return await self._respond(caller, read, self._permission, handle)


# Async, because FastAPI sends plain functions to a thread.
async def declared_token(
    token: Annotated[
        str, Header(alias="X-Portal-Token", description="the customer's, 64 hex digits")
    ] = "",
) -> None:
    """What the route reads, as /openapi.json says it; `PortalRoute` is what checks it."""
    del token


def own_customer(tx: Transaction) -> CustomerId:
    """The customer that the transaction's principal acts for."""
    customer_id = tx.principal.customer_id
    if customer_id is None:
        raise InvariantError("a portal route is called by a customer")
    return customer_id


def check_own(tx: Transaction, customer_id: CustomerId, what: str) -> None:
    """Refuse what is another customer's as if it were not there. Raises not_found."""
    if customer_id != own_customer(tx):
        raise not_found(what)
