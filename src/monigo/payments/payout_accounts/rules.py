"""Pure: which payout accounts there can be, and whether two names are one."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from monigo.core.errors import invalid
from monigo.payments.payout_accounts.types import (
    AccountChanges,
    AccountDetails,
    Resolution,
    ResolutionState,
)
from monigo.providers.port import (
    AccountHolder,
    Capabilities,
    Failed,
    FailureCode,
    Outcome,
    PayoutMethod,
    Succeeded,
)

LAST = 4
# Nigerian account numbers have this length everywhere (NUBAN).
NUBAN_LENGTH = 10
_NUMBER = re.compile(r"[A-Za-z0-9]{5,34}")  # As long as an IBAN at most.
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_NUBAN = re.compile(rf"[0-9]{{{NUBAN_LENGTH}}}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SEPARATORS = re.compile(r"[\s-]+")
# Between questions for a name that was not answered; after the last it waits for a person's.
ASKED_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
# Of a name: titles and what stands for a company say nothing of whose it is.
_SAYS_NOTHING = frozenset({"mr", "mrs", "miss", "ms", "dr", "alhaji", "chief", "ltd", "limited"})
_NO_SUCH = frozenset(
    {FailureCode.INVALID_RECIPIENT, FailureCode.NOT_FOUND, FailureCode.INVALID_REQUEST}
)


def checked(details: AccountDetails) -> AccountDetails:
    """The details in their one form: without spaces in the number.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    number = _SEPARATORS.sub("", details.number)
    faults: dict[str, str] = {}
    if not details.account_name.strip():
        faults["account_name"] = "is required"
    if not _CURRENCY.fullmatch(details.currency):
        faults["currency"] = "must be an ISO 4217 code"
    if not details.bank_code:
        faults["bank_code"] = "is required: the provider's code of the bank or network"
    if details.method is PayoutMethod.MOBILE_MONEY:
        if not _PHONE.fullmatch(number):
            faults["mobile_money_number"] = "must be a phone number like +233501234567"
    elif details.currency == "NGN":
        if not _NUBAN.fullmatch(number):
            faults["account_number"] = f"must have {NUBAN_LENGTH} digits"
    elif not _NUMBER.fullmatch(number):
        faults["account_number"] = "must have 5 to 34 letters and digits"
    if faults:
        raise invalid(faults)
    return replace(details, number=number, account_name=details.account_name.strip())


def changed(present: AccountDetails, changes: AccountChanges) -> AccountDetails:
    """The details with the changes."""
    given = {
        name: value
        for name in changes.__struct_fields__
        if (value := getattr(changes, name)) is not None
    }
    return replace(present, **given)


def is_other_account(before: AccountDetails, after: AccountDetails) -> bool:
    """Whether money would go elsewhere."""
    return (before.method, before.bank_code, before.number, before.currency) != (
        after.method,
        after.bank_code,
        after.number,
        after.currency,
    )


def last4_of(number: str) -> str:
    """The last four characters of a number."""
    return number[-LAST:]


def masked(last4: str) -> str:
    """A number of which only the end may be seen."""
    return f"****{last4}"


def shows_names(capabilities: Capabilities, method: PayoutMethod, currency: str) -> bool:
    """Whether a provider says in whose name such accounts are."""
    return method is PayoutMethod.BANK_TRANSFER and currency in capabilities.resolves


def resolved(known: Resolution, outcome: Outcome, name: str) -> Resolution:
    """What an answer says of the name; one that says nothing leaves it open, and counts."""
    asked = replace(known, tries=known.tries + 1)
    match outcome:
        case Succeeded(result=AccountHolder(name=said)) if said:
            is_same = is_same_name(name, said)
            state = ResolutionState.MATCHED if is_same else ResolutionState.MISMATCHED
            return replace(asked, state=state, name=said, reason="")
        case Failed(code=code, reason=reason) if code in _NO_SUCH:
            return replace(asked, state=ResolutionState.NOT_FOUND, name="", reason=reason)
        case Failed(reason=reason):
            return replace(asked, reason=reason)
        case _:
            return replace(asked, reason="the provider did not answer")


def is_same_name(ours: str, theirs: str) -> bool:
    """Whether two names are of one holder: all words of the shorter are in the longer."""
    one, other = _words(ours), _words(theirs)
    shorter, longer = sorted((one, other), key=len)
    return bool(shorter) and shorter <= longer


def _words(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(one for one in plain if not unicodedata.combining(one))
    return frozenset(re.findall(r"[^\W_]+", kept)) - _SAYS_NOTHING


def wait_before(tries: int) -> timedelta | None:
    """How long to wait after so many questions; None where there are no more."""
    return ASKED_AFTER[tries - 1] if 0 < tries <= len(ASKED_AFTER) else None


def faults_of(error: Mapping[str, str]) -> str:
    """Faults of fields in one sentence."""
    return "; ".join(f"{name} {fault}" for name, fault in error.items())
