"""Pure rules of virtual accounts: what is asked of the provider next, and what its answer makes."""

import re
from datetime import datetime, timedelta

from msgspec import Struct

from monigo.payments.accounts.types import (
    UNSETTLED,
    AccountState,
    Identity,
    VirtualAccount,
)
from monigo.providers.port import (
    Cause,
    CloseVirtualAccount,
    Failed,
    FailureCode,
    Intent,
    Kind,
    ListDeposits,
    Lookup,
    OpenedAccount,
    Outcome,
    Payer,
    Repeat,
    Succeeded,
    Unknown,
)
from monigo.providers.port import VirtualAccount as Opening
from monigo.providers.redaction import redacted_text

# A call is over by then, so that a process that recorded nothing by then has died.
CALL_MAX = timedelta(seconds=60)
# What is unsettled is asked about again after these pauses, and then every hour for three days.
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 20, 60, 300, 900))
_PAUSE_LATER = timedelta(hours=1)
ASKED_MAX = len(_PAUSES) + 72

# An account that got money of late is listed often: a webhook that was lost is made up for soon.
USED_LATELY = timedelta(days=7)
LISTED_OFTEN = timedelta(minutes=15)
LISTED_RARELY = timedelta(days=1)

REASON_LENGTH_MAX = 500
# What a refusal is about, by its words; where none fits it is the provider's own affair.
_FIELDS = {
    r"\bbvn\b|bank verification": "bvn",
    r"\bnin\b|national identi": "nin",
    r"e-?mail": "customer.email",
    r"phone": "customer.phone",
    r"\bname\b": "customer.name",
    r"currency": "currency",
}
_NOT_NOW = frozenset({FailureCode.NOT_SENT, FailureCode.LIMIT_EXCEEDED})


class Opened(Struct, frozen=True):
    """There is an account, with this number."""

    account: OpenedAccount


class Refused(Struct, frozen=True):
    """There is none: the provider says why, of which field of the request or the customer."""

    field: str
    reason: str


class Unsent(Struct, frozen=True):
    """There is none, and nothing of the request counts: it may be sent again as it was."""


class Unsure(Struct, frozen=True):
    """There may be one."""


class Ended(Struct, frozen=True):
    """There is none any more."""


Change = Opened | Refused | Unsent | Unsure | Ended


def change_of(
    account: VirtualAccount, outcome: Outcome, identity: Identity, *, is_question: bool
) -> Change:
    """What an answer about an account makes of it. Proofs of identity are taken out of reasons.

    A refusal of a mere question says nothing of the account, and neither does a look-up that finds
    nothing: what was sent may still be on its way.
    """
    if account.state in {AccountState.CLOSING, AccountState.CLOSED}:
        return _ending_of(outcome)
    match outcome:
        case Succeeded(result=OpenedAccount() as opened):
            if opened.currency in {"", account.currency}:
                return Opened(opened)
            return Refused("currency", f"the provider opened an account in {opened.currency}")
        case Failed(code=code) if is_question or code in _NOT_NOW:
            return Unsure() if is_question else Unsent()
        case Failed(reason=reason):
            shown = _without(reason or "the provider refused it", identity)
            return Refused(field_of(shown), shown)
        case _:
            return Unsure()


def _ending_of(outcome: Outcome) -> Change:
    match outcome:
        case Succeeded():
            return Ended()
        case Failed(code=FailureCode.NOT_FOUND):
            return Ended()
        case _:
            return Unsure()


def field_of(reason: str) -> str:
    """The field of a request for an account that a provider's refusal is about."""
    found = (field for said, field in _FIELDS.items() if re.search(said, reason, re.IGNORECASE))
    return next(found, "provider")


def _without(reason: str, identity: Identity) -> str:
    for secret in (identity.bvn, identity.nin):
        if secret:
            reason = reason.replace(secret, "…")
    return redacted_text(reason)[:REASON_LENGTH_MAX]


def is_under_way(account: VirtualAccount, now: datetime) -> bool:
    """Whether somebody may be waiting for the provider's answer at this moment."""
    sent_at = account.submitted_at
    is_sent = account.state is AccountState.SUBMITTED
    return is_sent and sent_at is not None and now < sent_at + CALL_MAX


def is_looked_up(account: VirtualAccount, repeat: Repeat) -> bool:
    """Whether an account that may exist is found by our reference, and need not be made again."""
    was_sent = account.state in UNSETTLED and account.state is not AccountState.CREATED
    return was_sent and repeat is Repeat.REJECTS


def asks_by_itself(account: VirtualAccount, repeat: Repeat) -> bool:
    """Whether an account that is unsettled can be asked about without proofs of identity.

    Where the same request makes another account, only who has the proofs sends it again.
    """
    if account.state is AccountState.CLOSING:
        return True
    is_unsettled = account.state in UNSETTLED and account.state is not AccountState.CREATED
    return is_unsettled and repeat in {Repeat.REJECTS, Repeat.RETURNS_FIRST}


def intent_of(
    account: VirtualAccount, payer: Payer, identity: Identity, *, is_question: bool
) -> Intent:
    """What the provider is asked: to close the account, to look it up, or to open it."""
    if account.state is AccountState.CLOSING:
        return CloseVirtualAccount(reference=account.reference, provider_id=account.provider_id)
    if is_question:
        return Lookup(
            kind=Kind.VIRTUAL_ACCOUNT,
            reference=account.reference,
            provider_id=account.provider_id,
        )
    return Opening(
        reference=account.reference,
        currency=account.currency,
        payer=payer,
        bvn=identity.bvn,
        nin=identity.nin,
    )


def listing_of(account: VirtualAccount, page: int = 1) -> ListDeposits:
    """The question what came into an account, a page at a time."""
    return ListDeposits(
        account_reference=account.reference,
        account_number=account.account_number,
        customer=account.provider_customer,
        page=page,
    )


def is_duplicate(outcome: Outcome) -> bool:
    """Whether the provider has made it before: it is looked up now."""
    return isinstance(outcome, Unknown) and outcome.cause is Cause.DUPLICATE


def is_absent(outcome: Outcome) -> bool:
    """Whether a look-up found nothing: under the same reference it may be sent again."""
    return isinstance(outcome, Unknown) and outcome.cause is Cause.NOT_FOUND


def ask_again_at(asked: int, now: datetime) -> datetime | None:
    """When an account is asked about again after so many times; None for no more."""
    if asked >= ASKED_MAX:
        return None
    return now + (_PAUSES[asked] if asked < len(_PAUSES) else _PAUSE_LATER)


def list_again_at(account: VirtualAccount, now: datetime) -> datetime | None:
    """When the deposits of an account are listed again; None for no more.

    Every fifteen minutes in the week after it was opened or used, then daily, and after it was
    closed for a week: money that was under way then still comes.
    """
    known = (account.last_used_at, account.opened_at)
    used_at = max((at for at in known if at is not None), default=None)
    if account.closed_at is not None and now >= account.closed_at + USED_LATELY:
        return None
    is_lately = used_at is not None and now < used_at + USED_LATELY
    return now + (LISTED_OFTEN if is_lately else LISTED_RARELY)
