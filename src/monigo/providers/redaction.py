"""Pure: what may be kept and shown of what was said to a provider and by it."""

import re
from typing import Any

TEXT_LENGTH_MAX = 4_000
HIDDEN = "…"
# By the names of fields, without regard to case and underscores: nothing of their values is shown.
_SECRETS = re.compile(
    r"token|secret|authori[sz]ationcode|apikey|password|otp$|^pin$|cvv|bvn|nin$|accesscode"
    r"|authori[sz]ationurl|checkouturl|^link$|signature|dob|birthday|documentnumber|encrypt"
)
# Of these the last four digits are shown.
_ACCOUNTS = re.compile(r"account(number|no)?$|^number$|receiverbankaccountnumber|phone|msisdn|pan$")
# Cards and accounts that stand in a sentence, but no part of a reference.
_DIGITS = re.compile(r"(?<![0-9A-Za-z_|-])[0-9][0-9 ]{8,21}[0-9](?![0-9A-Za-z_|-])")
_SHOWN_DIGITS = 4


def redacted(value: Any) -> Any:
    """A JSON value without tokens, secrets, cards and account numbers but their last digits."""
    match value:
        case dict():
            return {name: _field(str(name), one) for name, one in value.items()}
        case list() | tuple():
            return [redacted(one) for one in value]
        case str():
            return redacted_text(value)
        case _:
            return value


def redacted_text(text: str) -> str:
    """A sentence whose long numbers are masked, cut to what is kept."""
    return _DIGITS.sub(lambda found: masked(found[0]), text)[:TEXT_LENGTH_MAX]


def masked(text: str) -> str:
    """The last four of an account's or a card's digits."""
    return HIDDEN + text[-_SHOWN_DIGITS:] if len(text) > _SHOWN_DIGITS else HIDDEN


def _field(name: str, value: Any) -> Any:
    plain = name.replace("_", "").replace("-", "").lower()
    is_one = isinstance(value, str | int) and not isinstance(value, bool)
    if _SECRETS.search(plain) and value not in (None, "", True, False):
        return HIDDEN
    if is_one and _ACCOUNTS.search(plain):
        return masked(str(value)) if str(value) else value
    return redacted(value)
