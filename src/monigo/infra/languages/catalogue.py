"""The catalogue of texts: one file a language, with the plural forms that CLDR has for it.

A text that a language lacks is in English.
"""

from collections.abc import Mapping
from copy import copy
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, localedata
from babel.dates import format_date, format_interval, format_skeleton
from msgspec import Struct

from monigo.core.errors import ensure
from monigo.core.languages import parted, symbol_of
from monigo.core.money import Money, minor_unit_places

CODES = ("en", "fr", "pt", "sw", "ha", "yo", "ar")
USUAL = "en"

_FOLDER = Path(__file__).parents[2] / "locales"
_EN_DASH = "\u2013"
_TICK = timedelta(microseconds=1)
# Around what is put into a text that is read from right to left: it keeps its own direction, and
# does not turn what is beside it.
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"

# By its key, a text, or one for each plural form.
Texts = Mapping[str, str | Mapping[str, str]]


class Language(Struct, frozen=True):
    """A language of ours, as it is written in a region."""

    code: str
    region: str
    texts: Texts

    @property
    def tag(self) -> str:
        """Its BCP 47 tag, as HTML has it."""
        return f"{self.code}-{self.region}" if self.region else self.code

    @property
    def is_from_right(self) -> bool:
        """Whether it is read from right to left."""
        return self._locale.text_direction == "rtl"

    def text(self, key: str, *, count: int | None = None, **values: str) -> str:
        """A text with its values; with `count`, in the plural form that it asks for.

        Raises:
            InvariantError: no catalogue has the key.
        """
        found = self.texts.get(key)
        speaker: Locale = self._locale
        if found is None:
            found, speaker = _texts(USUAL).get(key), Locale(USUAL)
        ensure(found is not None, f"the catalogue has the text {key}")
        if not isinstance(found, str):
            forms: Mapping[str, str] = found or {}
            found = forms.get(speaker.plural_form(count or 0), forms["other"])
        if count is not None:
            values["count"] = str(count)
        return found.format_map({name: self._placed(value) for name, value in values.items()})

    def amount(self, money: Money) -> str:
        """An amount with the currency's symbol: all its places, and those of the minor unit."""
        locale = self._locale
        least = minor_unit_places(money.currency)
        exponent = money.amount.normalize().as_tuple().exponent
        places = max(least, -exponent if isinstance(exponent, int) else 0)
        pattern = copy(locale.currency_formats["standard"])
        pattern.frac_prec = least, places
        written: str = pattern.apply(money.amount, locale, currency_digits=False)
        return _with_symbol(written, symbol_of(money.currency))

    def date(self, instant: datetime, zone: ZoneInfo) -> str:
        """The day of an instant in a zone, such as `30 November 2026`."""
        return format_date(instant.astimezone(zone).date(), "long", locale=self._locale)

    def days(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """The days of a half-open period, first to last, such as 1 to 30 Nov 2026."""
        first = start.astimezone(zone).date()
        last = max(first, (end - _TICK).astimezone(zone).date())
        if first != last and (first.year, first.month) == (last.year, last.month):
            return format_interval(first, last, "yMMMd", locale=self._locale)
        written = [format_skeleton("yMMMd", day, locale=self._locale) for day in (first, last)]
        return written[0] if first == last else f" {_EN_DASH} ".join(written)

    def month(self, year: int, month: int) -> str:
        """A month, such as `11/2026`."""
        return f"{month:02d}/{year}"

    def _placed(self, value: str) -> str:
        return f"{_ISOLATE}{value}{_END_OF_ISOLATE}" if self.is_from_right else value

    @property
    def _locale(self) -> Locale:
        return _locale(self.code, self.region)


def language_of(*tags: str, country: str = "") -> Language:
    """The first of these tags of which we have the language, as it is written in its region.

    A tag without a region takes that of `country`. English where we have none of them.
    """
    for tag in tags:
        code, region = parted(tag)
        if code in CODES:
            break
    else:
        code, region = USUAL, ""
    return Language(code, region or country, _texts(code))


@lru_cache(maxsize=512)
def _locale(code: str, region: str) -> Locale:
    tag = f"{code}_{region}"
    return Locale.parse(tag) if region and localedata.exists(tag) else Locale(code)


@lru_cache(maxsize=len(CODES))
def _texts(code: str) -> Texts:
    return msgspec.json.decode(
        (_FOLDER / f"{code}.json").read_bytes(), type=dict[str, str | dict[str, str]]
    )


def _with_symbol(written: str, symbol: str) -> str:
    """A number with a currency's symbol in its place; a space keeps its letters from digits."""
    before, _, after = written.partition("¤")
    if after[:1].isdigit() and symbol[-1:].isalpha():
        symbol = f"{symbol}\u00a0"
    if before[-1:].isdigit() and symbol[:1].isalpha():
        symbol = f"\u00a0{symbol}"
    return f"{before}{symbol}{after}"
