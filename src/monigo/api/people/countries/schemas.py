"""Countries and currencies on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Outgoing, RateNumber
from monigo.infra import json
from monigo.people import Country, Currency


class CountryOut(Outgoing, frozen=True):
    """A country, and what is proposed for an organisation there. The rate is a percentage."""

    code: Annotated[str, Meta(examples=["NG"])]
    name: Annotated[str, Meta(examples=["Nigeria"])]
    currency: Annotated[str, Meta(examples=["NGN"])]
    timezone: Annotated[str, Meta(examples=["Africa/Lagos"])]
    language: Annotated[str, Meta(examples=["en"])]
    vat_rate: RateNumber

    @classmethod
    def of(cls, country: Country) -> Self:
        """The wire form."""
        return cls(
            code=country.code,
            name=country.name,
            currency=country.currency,
            timezone=country.timezone,
            language=country.language,
            vat_rate=json.exact_floats(country.vat_rate),
        )


class CountryList(Outgoing, frozen=True):
    """All countries, by name."""

    countries: list[CountryOut]
    count: int


class CurrencyOut(Outgoing, frozen=True):
    """A currency; `decimals` is how many places its amounts have."""

    code: Annotated[str, Meta(examples=["NGN"])]
    name: Annotated[str, Meta(examples=["Nigerian Naira"])]
    symbol: Annotated[str, Meta(examples=["₦"])]
    decimals: int

    @classmethod
    def of(cls, currency: Currency) -> Self:
        """The wire form."""
        return cls(
            code=currency.code,
            name=currency.name,
            symbol=currency.symbol,
            decimals=currency.decimals,
        )


class CurrencyList(Outgoing, frozen=True):
    """The currencies that some country pays with now, by code."""

    currencies: list[CurrencyOut]
    count: int
