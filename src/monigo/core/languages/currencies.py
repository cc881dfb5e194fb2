"""Pure: which currency a country pays with, and what is written for it (CLDR)."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from babel import Locale, localedata
from babel.core import get_global
from babel.numbers import get_currency_symbol

_ENGLISH = Locale("en")


def currency_of(country: str) -> str | None:
    """The legal tender of a country now: the one that was brought in last."""
    now = [
        (_day(begun), code)
        for code, begun, ended, is_tender in get_global("territory_currencies").get(country, ())
        if is_tender and ended is None
    ]
    return max(now)[1] if now else None


def symbol_of(currency: str) -> str:
    """What is written for a currency where it is paid with, in every language; else its code."""
    return _symbols().get(currency, currency)


@lru_cache(maxsize=1)
def _symbols() -> dict[str, str]:
    """By currency; absent where it is the currency's code."""
    found: dict[str, str] = {}
    names: Mapping[str, str] = _ENGLISH.territories
    countries = [code for code in get_global("territory_currencies") if code in names]
    for country in sorted(countries, key=names.__getitem__):
        currency = currency_of(country)
        if currency is None:
            continue
        tag = f"en_{country}"
        spoken = Locale.parse(tag) if localedata.exists(tag) else _ENGLISH
        symbol = get_currency_symbol(currency, spoken)
        if symbol != currency:
            found.setdefault(currency, symbol)
    return found


def _day(begun: tuple[int, int, int] | None) -> date:
    return date.min if begun is None else date(*begun)
