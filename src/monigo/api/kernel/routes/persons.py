"""What a person's request is for: which organisation, and which of its modes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import Depends, Request, Response

from monigo import people
from monigo.api.kernel.http.requests import JsonRequest, named_in
from monigo.api.kernel.routes.principals import PersonReference
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind, invalid, not_found
from monigo.core.ids import OrganizationId, parse_id
from monigo.infra.db import INSTALLATION, Tenant
from monigo.people import Claims

NOT_FOUND = 404
# Where a person has no right, another of their organisations may hold what they ask for.
_LACKING_RIGHT = frozenset({"role_lacks_right", "organization_suspended", "second_factor_required"})


async def tenants_of(services: Services, request: JsonRequest, claims: Claims) -> list[Tenant]:
    """The tenants that a person's request may be for, of which the first that knows it answers.

    That is the organisation that it names. Where it names none, but something by its id, that is
    sought in the person's organisations, one after the other: an id stands for one thing only.

    Raises:
        DomainError: invalid (org_id, is_test); unauthenticated; not_found, where the person
            belongs to no organisation.
    """
    named = await named_in(request)
    if len(set(named.modes)) > 1:
        raise invalid({"is_test": "differs between query and body"})
    is_test = named.modes[0] if named.modes else False
    if named.org_ids:
        org_ids = {parse_id(org_id) for org_id in named.org_ids}
        if len(org_ids) > 1:
            raise invalid({"org_id": "differs between path, query and body"})
        org_id = org_ids.pop()
        if org_id is None:
            raise not_found("organization")
        return [Tenant(OrganizationId(org_id), is_test)]
    own = await organizations_of(services, claims)
    if len(own) > 1 and not any(map(parse_id, request.path_params.values())):
        raise invalid({"org_id": "is required"})
    if not own:
        raise not_found("organization")
    return [Tenant(org_id, is_test) for org_id in own]


async def organizations_of(services: Services, claims: Claims) -> list[OrganizationId]:
    """The organisations that a signed-in person belongs to.

    Raises:
        DomainError: unauthenticated.
    """
    async with services.people.transaction() as tx:
        await people.organizations.require_session(tx, claims)
        return await people.organizations.ids_of_person(tx, claims.user_id)


async def check_session(services: Services, claims: Claims) -> None:
    """Refuse who is not signed in any more.

    Raises:
        DomainError: unauthenticated.
    """
    async with services.database.transaction(INSTALLATION) as tx:
        await people.organizations.require_session(tx, claims)


# Async, because FastAPI sends plain functions to a thread.
async def _claims(request: Request) -> Claims:
    return request.state.claims


ClaimsOfRequest = Annotated[Claims, Depends(_claims)]


async def first_that_knows(
    tenants: Sequence[Tenant],
    claims: Claims,
    respond: Callable[[PersonReference], Awaitable[Response]],
) -> Response:
    """The answer of the first tenant that knows what is asked for, or of the last."""
    refusal: DomainError | None = None
    for tenant in tenants[:-1]:
        try:
            response = await respond(PersonReference(tenant, claims))
        except DomainError as error:
            if error.code in _LACKING_RIGHT:
                refusal = error
            elif error.kind is not ErrorKind.NOT_FOUND:
                raise
            continue
        if response.status_code != NOT_FOUND:
            return response
    try:
        return await respond(PersonReference(tenants[-1], claims))
    except DomainError as error:
        if refusal is not None and error.kind is ErrorKind.NOT_FOUND:
            raise refusal from None
        raise
