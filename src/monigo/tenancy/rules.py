"""Pure rules of organisations: which settings are valid, and what a key's secret looks like."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from babel import Locale
from babel.core import get_global
from msgspec.structs import replace

from monigo.core.access import email_fault, spelled
from monigo.core.errors import invalid
from monigo.core.languages import tag_fault
from monigo.core.periods import parse_timezone
from monigo.tenancy.settings import (
    CURRENCIES_MAX,
    DAYS_MAX,
    GROUPS,
    LAST_DAY_MAX,
    PAYOUT_MODES,
    SENDER_NAME_LENGTH_MAX,
    SETTINGS,
    MailSettings,
    MailType,
)
from monigo.tenancy.types import Organization

KEY_PREFIXES = {True: "mk_test_", False: "mk_live_"}
# Characters of a key that are kept readable, so that people recognise their keys.
KEY_PREFIX_SHOWN = 12
# A secret: the prefix and 256 random bits as hex.
SECRET_LENGTH = len("mk_test_") + 64
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


def with_settings(organization: Organization, changes: Mapping[str, Any]) -> Organization:
    """The organisation with the named settings, its name or its country changed; not checked."""
    groups = {
        group: replace(
            getattr(organization, group),
            **{name: value for name, value in changes.items() if _group_of(name) == group},
        )
        for group in GROUPS
    }
    own = {name: value for name, value in changes.items() if name not in SETTINGS}
    return replace(organization, **groups, **own)


def checked(organization: Organization) -> Organization:
    """The organisation with its settings brought to one form.

    Raises:
        DomainError: invalid, naming every setting at fault.
    """
    faults: dict[str, str] = {}
    billing, name = organization.billing, organization.name.strip()
    if not name:
        faults["name"] = "is required"
    try:
        parse_timezone(billing.timezone)
    except ValueError as error:
        faults["timezone"] = str(error)
    if organization.country and not is_country(organization.country):
        faults["country"] = "must be an ISO 3166 country code such as NG"
    if not is_currency(billing.default_currency):
        faults["default_currency"] = "must be an ISO 4217 currency code such as NGN"
    if len(billing.available_currencies) > CURRENCIES_MAX:
        faults["available_currencies"] = f"must be at most {CURRENCIES_MAX}"
    for position, code in enumerate(billing.available_currencies[:CURRENCIES_MAX]):
        if not is_currency(code):
            faults[f"available_currencies[{position}]"] = "must be an ISO 4217 currency code"
    for mode in ("payout_mode", "test_payout_mode"):
        if getattr(organization.payouts, mode) not in PAYOUT_MODES:
            faults[mode] = f"must be one of {', '.join(PAYOUT_MODES)}"
    faults |= _out_of_bounds(organization)
    faults |= _faulty_days(organization)
    faults |= _faulty_mails(organization.mails)
    if faults:
        raise invalid(faults)
    currencies = tuple(dict.fromkeys((billing.default_currency, *billing.available_currencies)))
    billing = replace(billing, available_currencies=currencies)
    mails = organization.mails
    mails = replace(
        mails,
        customer_mails=tuple(one for one in MailType if one in mails.customer_mails),
        mail_sender_name=mails.mail_sender_name.strip(),
        mail_reply_to=spelled(mails.mail_reply_to),
        mail_test_recipient=spelled(mails.mail_test_recipient),
    )
    return replace(organization, name=name, billing=billing, mails=mails)


def _group_of(name: str) -> str | None:
    setting = SETTINGS.get(name)
    return None if setting is None else setting.group


def _faulty_days(organization: Organization) -> dict[str, str]:
    """Lists of days ascend, so that each is another step."""
    faults: dict[str, str] = {}
    for setting in SETTINGS.values():
        if setting.item is not int:
            continue
        days: tuple[int, ...] = getattr(getattr(organization, setting.group), setting.name)
        if len(days) > DAYS_MAX:
            faults[setting.name] = f"must be at most {DAYS_MAX}"
        elif any(not 0 <= day <= LAST_DAY_MAX for day in days):
            faults[setting.name] = f"must be 0 to {LAST_DAY_MAX} each"
        elif any(later <= day for day, later in pairwise(days)):
            faults[setting.name] = "must ascend"
    return faults


def _faulty_mails(mails: MailSettings) -> dict[str, str]:
    known = {one.value for one in MailType}
    faults: dict[str, str | None] = {
        f"customer_mails[{position}]": f"must be one of {', '.join(MailType)}"
        for position, name in enumerate(mails.customer_mails[: len(MailType)])
        if name not in known
    }
    if len(mails.customer_mails) > len(MailType):
        faults["customer_mails"] = f"must be at most {len(MailType)}"
    for name in ("mail_reply_to", "mail_test_recipient"):
        address: str = getattr(mails, name)
        faults[name] = email_fault(spelled(address)) if address else None
    sender = mails.mail_sender_name.strip()
    if len(sender) > SENDER_NAME_LENGTH_MAX or not sender.isprintable():
        faults["mail_sender_name"] = f"must have at most {SENDER_NAME_LENGTH_MAX} on one line"
    faults["default_locale"] = tag_fault(mails.default_locale)
    return {name: fault for name, fault in faults.items() if fault is not None}


def _out_of_bounds(organization: Organization) -> dict[str, str]:
    faults: dict[str, str] = {}
    for setting in SETTINGS.values():
        least, most = setting.least, setting.most
        if least is None or most is None:
            continue
        value: Decimal | int | None = getattr(getattr(organization, setting.group), setting.name)
        if setting.is_optional if value is None else least <= value <= most:
            continue
        is_rate = setting.kind is Decimal and not setting.is_amount
        kind = "a percentage from " if is_rate else ""
        or_none = ", or null" if setting.is_optional else ""
        faults[setting.name] = f"must be {kind}{least} to {most}{or_none}"
    return faults
