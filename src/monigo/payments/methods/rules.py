"""What a provider says of a card or account, as a saved method."""

import re
from datetime import UTC, datetime, timedelta

from monigo.payments.methods.types import Expiry, MethodType, PaymentMethod
from monigo.providers.port import SavedMethod

_TYPES = {
    "": MethodType.CARD,
    "card": MethodType.CARD,
    "bank": MethodType.BANK_ACCOUNT,
    "bank_account": MethodType.BANK_ACCOUNT,
    "direct_debit": MethodType.BANK_ACCOUNT,
    "mobile_money": MethodType.MOBILE_MONEY,
}
_MONTH, _YEAR = re.compile(r"0?[1-9]|1[0-2]"), re.compile(r"(20|21)?[0-9]{2}")
_CENTURY = 2000
_LAST4 = 4
_MONTHS = 12
# Long enough for a reminder and a new card.
_SOON = timedelta(days=30)


def type_of(saved: SavedMethod) -> MethodType | None:
    """What sort of method it is; None for what can't be charged again."""
    return _TYPES.get(saved.channel) if saved.is_reusable and saved.token else None


def expiry_of(saved: SavedMethod) -> tuple[int, int] | tuple[None, None]:
    """The month and year in which it expires, if both are known."""
    if not _MONTH.fullmatch(saved.exp_month) or not _YEAR.fullmatch(saved.exp_year):
        return None, None
    year = int(saved.exp_year)
    return int(saved.exp_month), year if year >= _CENTURY else _CENTURY + year


def last4_of(saved: SavedMethod) -> str:
    """The last four digits, however many there are."""
    return saved.last4[-_LAST4:]


def expiry_instants(method: PaymentMethod) -> Expiry | None:
    """When a method expires: as the month after its last one begins, in UTC."""
    if method.exp_month is None or method.exp_year is None:
        return None
    years, month = divmod(method.exp_month, _MONTHS)
    at = datetime(method.exp_year + years, month + 1, 1, tzinfo=UTC)
    return Expiry(at - _SOON, at)
