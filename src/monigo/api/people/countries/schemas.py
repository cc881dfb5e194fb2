"""Countries and currencies on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import (
    ListEnvelope,
    Money,
    Outgoing,
    RateNumber,
    money_or_null,
)
from monigo.infra import json
from monigo.people import Country, Currency, ProviderOfCountry, ProviderOfCurrency
from monigo.providers.port import PayoutMethod, ProviderName


class CountryProviderOut(Outgoing, frozen=True):
    """What a payment provider does in a country."""

    provider: ProviderName
    collects: Annotated[
        list[str],
        Meta(description="currencies, of merchants of the country", examples=[["NGN", "USD"]]),
    ]
    pays_out: Annotated[list[PayoutMethod], Meta(description="how, to payees of the country")]

    @classmethod
    def of(cls, provider: ProviderOfCountry) -> Self:
        """The wire form."""
        return cls(
            provider=provider.name,
            collects=list(provider.collects),
            pays_out=list(provider.pays_out),
        )


class CountryOut(Outgoing, frozen=True):
    """A country, and what is proposed for an organisation there. The rate is a percentage."""

    code: Annotated[str, Meta(examples=["NG"])]
    name: Annotated[str, Meta(examples=["Nigeria"])]
    currency: Annotated[str, Meta(examples=["NGN"])]
    timezone: Annotated[str, Meta(examples=["Africa/Lagos"])]
    language: Annotated[str, Meta(examples=["en"])]
    vat_rate: RateNumber
    providers: list[CountryProviderOut]

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
            providers=[CountryProviderOut.of(one) for one in country.providers],
        )


class CountryList(ListEnvelope, frozen=True):
    """Countries, by name."""

    countries: list[CountryOut]


class CurrencyProviderOut(Outgoing, frozen=True):
    """What a payment provider does with a currency."""

    provider: ProviderName
    collects: bool
    pays_out: bool
    minimum_charge: Annotated[Money | None, Meta(description="null: none is known")]

    @classmethod
    def of(cls, provider: ProviderOfCurrency) -> Self:
        """The wire form."""
        return cls(
            provider=provider.name,
            collects=provider.collects,
            pays_out=provider.pays_out,
            minimum_charge=money_or_null(provider.minimum_charge),
        )


class CurrencyOut(Outgoing, frozen=True):
    """A currency; `decimals` is how many places its amounts have."""

    code: Annotated[str, Meta(examples=["NGN"])]
    name: Annotated[str, Meta(examples=["Nigerian Naira"])]
    symbol: Annotated[str, Meta(examples=["₦"])]
    decimals: int
    providers: list[CurrencyProviderOut]

    @classmethod
    def of(cls, currency: Currency) -> Self:
        """The wire form."""
        return cls(
            code=currency.code,
            name=currency.name,
            symbol=currency.symbol,
            decimals=currency.decimals,
            providers=[CurrencyProviderOut.of(one) for one in currency.providers],
        )


class CurrencyList(ListEnvelope, frozen=True):
    """Currencies that some country pays with now, by code."""

    currencies: list[CurrencyOut]
