"""Pure rules of organisations: which settings are valid, and what a key's secret looks like."""

import hashlib
from decimal import Decimal

from babel import Locale
from babel.core import get_global
from msgspec.structs import replace

from monigo.core.errors import invalid
from monigo.core.periods import parse_timezone
from monigo.core.rate import PER_SECOND_MAX
from monigo.tenancy.types import Organization

KEY_PREFIXES = {True: "mk_test_", False: "mk_live_"}
# Characters of a key that are kept readable, so that people can tell their keys apart.
KEY_PREFIX_SHOWN = 12
# A secret: the prefix and 256 random bits as hex.
SECRET_LENGTH = len("mk_test_") + 64
CURRENCIES_MAX = 50
RATE_PLACES = 4
# The least and the most of each setting that is a whole number; those in OPTIONAL may be None.
BOUNDS = {
    "event_ingestion_grace_period_hours": (0, 720),
    # Longer than the age at which an event may still come in (90 days), and its fold.
    "raw_event_retention_days": (100, 36_500),
    "requests_per_second_max": (1, PER_SECOND_MAX),
    # Beyond what could be counted; larger numbers are no longer exact in every JSON parser.
    "monthly_event_quota": (0, 10**15),
}
OPTIONAL = frozenset({"raw_event_retention_days", "requests_per_second_max", "monthly_event_quota"})
_PERCENT_MAX = 100

_ENGLISH = Locale("en")


def is_currency(code: str) -> bool:
    """Whether `code` is a currency's ISO 4217 code, by CLDR's list."""
    return code in _ENGLISH.currencies and len(code) == len("NGN") and code.isupper()


def is_country(code: str) -> bool:
    """Whether `code` is a country's ISO 3166 alpha-2 code, by CLDR's list."""
    return code in get_global("territory_currencies")


def secret_hash(secret: str) -> bytes:
    """What is kept of a key. The secret has 256 random bits, so a plain hash can't be reversed."""
    return hashlib.sha256(secret.encode()).digest()


def checked(organization: Organization) -> Organization:
    """The organisation with its settings brought to one form.

    Raises:
        DomainError: invalid, naming every setting at fault.
    """
    faults: dict[str, str] = {}
    name = organization.name.strip()
    if not name:
        faults["name"] = "is required"
    try:
        parse_timezone(organization.timezone)
    except ValueError as error:
        faults["timezone"] = str(error)
    if organization.country and not is_country(organization.country):
        faults["country"] = "must be an ISO 3166 country code such as NG"
    if not is_currency(organization.default_currency):
        faults["default_currency"] = "must be an ISO 4217 currency code such as NGN"
    if len(organization.available_currencies) > CURRENCIES_MAX:
        faults["available_currencies"] = f"must be at most {CURRENCIES_MAX}"
    for position, code in enumerate(organization.available_currencies[:CURRENCIES_MAX]):
        if not is_currency(code):
            faults[f"available_currencies[{position}]"] = "must be an ISO 4217 currency code"
    for field in ("vat_rate", "wht_rate"):
        rate: Decimal = getattr(organization, field)
        if not 0 <= rate <= _PERCENT_MAX:
            faults[field] = "must be a percentage from 0 to 100"
    faults |= _out_of_bounds(organization)
    if faults:
        raise invalid(faults)
    currencies = dict.fromkeys((organization.default_currency, *organization.available_currencies))
    return replace(organization, name=name, available_currencies=tuple(currencies))


def _out_of_bounds(organization: Organization) -> dict[str, str]:
    faults: dict[str, str] = {}
    for field, (least, most) in BOUNDS.items():
        value: int | None = getattr(organization, field)
        may_be_none = field in OPTIONAL
        if not (may_be_none if value is None else least <= value <= most):
            faults[field] = f"must be {least} to {most}{', or null' if may_be_none else ''}"
    return faults
