"""Routes of the countries and currencies to choose from for an organisation."""

from fastapi import APIRouter

from monigo import people
from monigo.api.kernel.routes.declarations import public
from monigo.api.kernel.routes.open import OpenRoute
from monigo.api.people.countries.schemas import (
    CountryList,
    CountryOut,
    CurrencyList,
    CurrencyOut,
)

router = APIRouter(route_class=OpenRoute, tags=["countries"])


@router.get("/countries")
@public
async def list_countries() -> CountryList:
    """List all countries, with what each proposes for an organisation."""
    shown = [CountryOut.of(one) for one in people.countries.countries()]
    return CountryList(countries=shown, count=len(shown))


@router.get("/currencies")
@public
async def list_currencies() -> CurrencyList:
    """List the currencies that some country pays with."""
    shown = [CurrencyOut.of(one) for one in people.countries.currencies()]
    return CurrencyList(currencies=shown, count=len(shown))
