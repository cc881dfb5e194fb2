"""Pure: the countries and currencies of CLDR, what providers do there, and what is proposed."""

from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages
from babel.numbers import get_currency_precision
from msgspec import Struct

from monigo.core.languages import currency_of, symbol_of
from monigo.providers.port import PayoutMethod, ProviderName
from monigo.providers.registry import PROVIDERS

_ENGLISH = Locale("en")
# Where no rate is known.
NO_VAT = Decimal(0)
USUAL_CURRENCY = "USD"
# Standard rates in percent, by law of 2025. Proposals only: people may choose otherwise.
VAT_RATES = {
    "BF": Decimal(18),
    "BJ": Decimal(18),
    "BW": Decimal(14),
    "CI": Decimal(18),
    "CM": Decimal("19.25"),
    "EG": Decimal(14),
    "ET": Decimal(15),
    "GB": Decimal(20),
    "GH": Decimal(15),
    "KE": Decimal(16),
    "MA": Decimal(20),
    "MU": Decimal(15),
    "MW": Decimal("16.5"),
    "NA": Decimal(15),
    "NG": Decimal("7.5"),
    "RW": Decimal(18),
    "SN": Decimal(18),
    "TG": Decimal(18),
    "TN": Decimal(19),
    "TZ": Decimal(18),
    "UG": Decimal(18),
    "ZA": Decimal(15),
    "ZM": Decimal(16),
    "ZW": Decimal(15),
}
_CODE_LENGTH = 2
# Codes that CLDR has beside those of ISO 3166: groups of countries, and parts of some.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "TA", "UN", "ZZ"})


class ProviderOfCurrency(Struct, frozen=True):
    """What a provider does with a currency; the minimum is of one charge, None where none is known.

    It pays out where some country's payees get this currency.
    """

    name: ProviderName
    collects: bool
    pays_out: bool
    minimum_charge: Decimal | None


class Currency(Struct, frozen=True):
    """A currency, by its ISO 4217 code; `decimals` is how many places its amounts have."""

    code: str
    name: str
    symbol: str
    decimals: int
    providers: tuple[ProviderOfCurrency, ...]


class ProviderOfCountry(Struct, frozen=True):
    """The currencies that a provider collects for a country's merchants, and how it pays there."""

    name: ProviderName
    collects: tuple[str, ...]
    pays_out: tuple[PayoutMethod, ...]


class Country(Struct, frozen=True):
    """A country, by its ISO 3166 code, and what is proposed for an organisation there."""

    code: str
    name: str
    currency: str
    timezone: str
    language: str
    vat_rate: Decimal
    providers: tuple[ProviderOfCountry, ...]


class Proposal(Struct, frozen=True):
    """Proposed settings of an organisation in a country. The rate is a percentage."""

    timezone: str
    currency: str
    language: str
    vat_rate: Decimal


@lru_cache(maxsize=1)
def countries() -> tuple[Country, ...]:
    """All countries with a currency of their own time, by name."""
    found = [
        Country(
            code=code,
            name=_ENGLISH.territories[code],
            currency=proposed.currency,
            timezone=proposed.timezone,
            language=proposed.language,
            vat_rate=proposed.vat_rate,
            providers=_providers_of_country(code, proposed.currency),
        )
        for code in get_global("territory_currencies")
        if _is_country(code) and currency_of(code)
        for proposed in (proposal_for(code),)
    ]
    return tuple(sorted(found, key=lambda country: country.name))


@lru_cache(maxsize=1)
def currencies() -> tuple[Currency, ...]:
    """The currencies that some country pays with now, by code."""
    codes = {country.currency for country in countries()}
    return tuple(
        Currency(
            code=code,
            name=_ENGLISH.currencies[code],
            symbol=symbol_of(code),
            decimals=get_currency_precision(code),
            providers=_providers_of_currency(code),
        )
        for code in sorted(codes)
        if code in _ENGLISH.currencies
    )


def proposal_for(country: str) -> Proposal:
    """What is proposed for an organisation in a country; the usual where nothing is known."""
    languages = get_official_languages(country, de_facto=True)
    return Proposal(
        timezone=_zones().get(country, "UTC"),
        currency=currency_of(country) or USUAL_CURRENCY,
        language=languages[0] if languages else "en",
        vat_rate=VAT_RATES.get(country, NO_VAT),
    )


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """The time zone of each country that has one only."""
    zones: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        if "/" in zone and not zone.startswith("Etc/"):
            zones.setdefault(country, []).append(zone)
    return {country: names[0] for country, names in zones.items() if len(names) == 1}


def _providers_of_country(country: str, currency: str) -> tuple[ProviderOfCountry, ...]:
    """Those that collect or pay out in a country, in the order of the table."""
    found = [
        ProviderOfCountry(
            name=provider.name,
            collects=tuple(sorted(provider.collected_in(country, currency))),
            pays_out=tuple(sorted(provider.pays_out.get(country, ()))),
        )
        for provider in PROVIDERS
    ]
    return tuple(one for one in found if one.collects or one.pays_out)


def _providers_of_currency(currency: str) -> tuple[ProviderOfCurrency, ...]:
    """Those that collect a currency, or pay it out somewhere, in the order of the table."""
    found = [
        ProviderOfCurrency(
            name=provider.name,
            collects=provider.is_collected(currency),
            pays_out=any(currency_of(country) == currency for country in provider.pays_out),
            minimum_charge=provider.minimums.get(currency),
        )
        for provider in PROVIDERS
    ]
    return tuple(one for one in found if one.collects or one.pays_out)


def _is_country(code: str) -> bool:
    is_code = len(code) == _CODE_LENGTH and code not in _NO_COUNTRIES
    return is_code and code in _ENGLISH.territories
