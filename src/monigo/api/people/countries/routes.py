"""Routes of the countries and currencies to choose from for an organisation."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import people
from monigo.api.kernel.routes.declarations import public
from monigo.api.kernel.routes.open import OpenRoute
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.people.countries.schemas import (
    CountryList,
    CountryOut,
    CurrencyList,
    CurrencyOut,
)
from monigo.core.paging import page_of
from monigo.providers.port import ProviderName

router = APIRouter(route_class=OpenRoute, tags=["countries"])

OfProvider = Annotated[
    ProviderName | None, Query(description="where this payment provider collects or pays out")
]


@router.get("/countries", response_model=CountryList)
@public
async def list_countries(paging: Paging, provider: OfProvider = None) -> ListResponse:
    """List countries by name, with what each proposes for an organisation, and its providers."""
    found = [
        country
        for country in people.countries.countries()
        if provider is None or any(one.name is provider for one in country.providers)
    ]
    return ListResponse("countries", page_of(found, paging), CountryOut.of)


@router.get("/currencies", response_model=CurrencyList)
@public
async def list_currencies(paging: Paging, provider: OfProvider = None) -> ListResponse:
    """List the currencies that some country pays with, by code, and their providers."""
    found = [
        currency
        for currency in people.countries.currencies()
        if provider is None or any(one.name is provider for one in currency.providers)
    ]
    return ListResponse("currencies", page_of(found, paging), CurrencyOut.of)
