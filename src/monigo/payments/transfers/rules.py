"""What a provider's word makes of a transfer, and when it is sent or asked about again.

All of it is pure. The order in which words arrive does not matter for how a transfer ends: what was
reversed stays reversed, what was paid is paid whatever stood before, and what failed stays failed
until the provider says that it was paid. Nothing that may have arrived is as unsent again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo.core.ids import PayoutTransferId
from monigo.core.money import Money
from monigo.payments.charges import (
    ASKED_FOR,
    CALL_LASTS,
    NOT_FOUND_COUNTS_AFTER,
    Failure,
    wait_before,
)
from monigo.payments.transfers.types import (
    OwnCode,
    Transfer,
    TransferState,
)
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    NeedsAction,
    Outcome,
    Pending,
    Reversed,
    Succeeded,
    Unknown,
)

# What could not be sent by then failed.
SENT_FOR = timedelta(hours=24)
# Top-ups of a merchant's balance take minutes to hours.
SHORT_TRIED_EVERY = timedelta(minutes=15)

SETTLED = frozenset({TransferState.SUCCEEDED, TransferState.FAILED, TransferState.REVERSED})
_REASON_LENGTH_MAX = 500
_OTHER_AMOUNT = "the provider says another amount"
# Refusals of the merchant's account or of the line: the same transfer may be taken later.
_TRIED_AGAIN = frozenset(
    {FailureCode.NOT_SENT, FailureCode.INSUFFICIENT_BALANCE, FailureCode.BATCH_REFUSED}
)
# Why a whole bulk was refused, that has nothing to do with one of its rows.
_OF_ALL = _TRIED_AGAIN | {
    FailureCode.UNAUTHORIZED,
    FailureCode.ADDRESS_NOT_ALLOWED,
}


def is_other_amount(transfer: Transfer, fact: Fact | None) -> bool:
    """Whether a provider says of a transfer that it is of another amount."""
    return fact is not None and fact.amount is not None and fact.amount != transfer.amount


def after(
    transfer: Transfer,
    outcome: Outcome,
    *,
    is_answer: bool,
    now: datetime,
    real_now: datetime,
) -> Transfer:
    """A transfer after a provider's word.

    `is_answer`: the word answers the request that was to make the transfer; else it answers a
    question, or came by itself. `now` is of the tenant's time.
    """
    if transfer.state is TransferState.REVERSED:
        return transfer
    fact = outcome.fact if not isinstance(outcome, Unknown) else None
    if is_other_amount(transfer, fact):
        return _as_sent(_of_other_amount(transfer, real_now), real_now)
    match outcome:
        case Succeeded(fact=Fact()):
            made = _settled(_found(transfer, fact), TransferState.SUCCEEDED, None, now)
        case Reversed():
            made = _reversed(_found(transfer, fact), now)
        case Failed():
            made = _after_failure(transfer, outcome, is_answer=is_answer, now=now, at=real_now)
        case Pending():
            made = _open(transfer, TransferState.PENDING, fact)
        case NeedsAction():
            made = _after_needed_action(transfer, outcome)
        case Unknown() if transfer.state is TransferState.SUBMITTED:
            # Also as the answer to a question: the process that sent it died before that.
            made = replace(transfer, state=TransferState.UNKNOWN)
        case Succeeded() | Unknown():
            made = transfer
    return _as_sent(made, real_now)


def _as_sent(transfer: Transfer, real_now: datetime) -> Transfer:
    """A transfer that its provider has, though we know of no call: ours may have been restored."""
    is_unsent = transfer.state in {TransferState.CREATED, TransferState.FAILED}
    if is_unsent or transfer.sent_at is not None:
        return transfer
    return replace(transfer, submitted_at=real_now, sent_at=real_now)


def _after_needed_action(transfer: Transfer, word: NeedsAction) -> Transfer:
    opened = _open(transfer, TransferState.NEEDS_ACTION, word.fact)
    if opened.state is not TransferState.NEEDS_ACTION:
        return opened
    named = opened.provider_id or word.provider_id
    return replace(opened, provider_id=named, needs_otp=word.needs_otp)


def _settled(
    transfer: Transfer, state: TransferState, failure: Failure | None, now: datetime
) -> Transfer:
    return replace(
        transfer,
        state=state,
        failure=failure,
        needs_otp=False,
        waiting_since=None,
        settled_at=transfer.settled_at if transfer.state is state else now,
        first_not_found_at=None,
        needs_person_at=None,
    )


def _reversed(transfer: Transfer, now: datetime) -> Transfer:
    failure = Failure(OwnCode.REVERSED, "", is_final=True)
    return _settled(transfer, TransferState.REVERSED, failure, now)


def failed(
    transfer: Transfer, code: str, reason: str, *, is_final: bool, now: datetime
) -> Transfer:
    """A live transfer that failed; one that is settled is as it was."""
    if transfer.state in SETTLED:
        return transfer
    failure = Failure(code, reason[:_REASON_LENGTH_MAX], is_final)
    return _settled(transfer, TransferState.FAILED, failure, now)


def succeeded(transfer: Transfer, now: datetime) -> Transfer:
    """A live transfer that a person says was paid."""
    return _settled(transfer, TransferState.SUCCEEDED, None, now)


def _of_other_amount(transfer: Transfer, real_now: datetime) -> Transfer:
    """Whatever was paid is not what was asked for: only a person can say what counts."""
    if transfer.state in SETTLED:
        return transfer
    known = _open(transfer, TransferState.UNKNOWN, None)
    failure = Failure(FailureCode.WRONG_AMOUNT, _OTHER_AMOUNT, is_final=False)
    since = transfer.needs_person_at or real_now
    return replace(known, failure=failure, needs_person_at=since)


def _after_failure(
    transfer: Transfer, word: Failed, *, is_answer: bool, now: datetime, at: datetime
) -> Transfer:
    if transfer.state in SETTLED:
        return transfer
    if word.fact is None:
        return _after_refusal(transfer, word, now=now, at=at) if is_answer else transfer
    found = _found(transfer, word.fact)
    if not word.is_final:
        return found
    return failed(found, word.code, word.reason, is_final=True, now=now)


def _after_refusal(transfer: Transfer, word: Failed, *, now: datetime, at: datetime) -> Transfer:
    """After a request that was not taken: nothing was made by it, but an earlier one may have been.

    Only before the first request nothing else can have arrived.
    """
    if transfer.state is not TransferState.SUBMITTED:
        return transfer
    if word.is_final:
        return failed(transfer, word.code, word.reason, is_final=True, now=now)
    if word.code not in _TRIED_AGAIN:
        return failed(transfer, word.code, word.reason, is_final=False, now=now)
    return put_off(transfer, word, now=now, real_now=at)


def put_off(transfer: Transfer, why: Failed, *, now: datetime, real_now: datetime) -> Transfer:
    """A transfer that did not arrive and is sent again later, under the same reference.

    One that waited for too long fails for what it waited for.
    """
    waiting = replace(
        transfer,
        state=TransferState.CREATED,
        is_alone=transfer.is_alone or why.code == FailureCode.BATCH_REFUSED,
        failure=Failure(why.code, why.reason[:_REASON_LENGTH_MAX], is_final=False),
        waiting_since=transfer.waiting_since or real_now,
    )
    if not is_over(waiting, real_now):
        return waiting
    return failed(waiting, why.code, why.reason, is_final=False, now=now)


def of_row(word: Outcome) -> Outcome:
    """What the answer to a whole bulk says of one of its rows.

    A refusal may be for another row: then each is sent by itself, and gets an answer of its own.
    """
    if not isinstance(word, Failed) or word.code in _OF_ALL:
        return word
    return replace(word, code=FailureCode.BATCH_REFUSED, is_final=False, fact=None)


def _open(transfer: Transfer, state: TransferState, fact: Fact | None) -> Transfer:
    """A transfer that its provider has, and that is not settled."""
    if transfer.state in SETTLED:
        return transfer
    is_step_back = (
        state is TransferState.PENDING
        and transfer.state is TransferState.NEEDS_ACTION
        and fact is None
    )
    if is_step_back:
        return transfer
    found = _found(transfer, fact)
    return replace(found, state=state, needs_otp=False, failure=None, waiting_since=None)


def _found(transfer: Transfer, fact: Fact | None) -> Transfer:
    """A transfer that its provider knows, with what it says of it."""
    if fact is None:
        return transfer
    # What was booked as the transfer arrived stays so.
    is_booked = transfer.state is TransferState.SUCCEEDED and transfer.fee is not None
    is_own = fact.fee is not None and fact.fee.currency == transfer.amount.currency
    return replace(
        transfer,
        provider_id=transfer.provider_id or fact.provider_id,
        rail_id=transfer.rail_id or fact.rail_id,
        fee=fact.fee if is_own and not is_booked else transfer.fee,
        first_not_found_at=None,
    )


def after_call(transfer: Transfer, outcome: Outcome, real_now: datetime) -> Transfer:
    """A transfer that its provider was called for, with what was not found noted."""
    asked = replace(transfer, asked=transfer.asked + 1, asked_at=real_now)
    if asked.state in SETTLED:
        return asked
    match outcome:
        case Unknown(cause=Cause.NOT_FOUND):
            return replace(asked, first_not_found_at=asked.first_not_found_at or real_now)
        case Unknown():
            return asked
        case _:
            return replace(asked, first_not_found_at=None)


def is_missing(transfer: Transfer, real_now: datetime) -> bool:
    """Whether it counts that a provider knows nothing of what may have been sent."""
    since = transfer.first_not_found_at
    return (
        transfer.is_in_flight
        and since is not None
        and since + NOT_FOUND_COUNTS_AFTER <= real_now
        and (transfer.sent_at or since) + NOT_FOUND_COUNTS_AFTER <= real_now
    )


def is_over(transfer: Transfer, real_now: datetime) -> bool:
    """Whether a transfer that could not be sent is given up."""
    since = transfer.waiting_since
    is_unsent = transfer.state is TransferState.CREATED
    return is_unsent and since is not None and since + SENT_FOR <= real_now


def next_sending(transfer: Transfer, real_now: datetime) -> datetime | None:
    """When a transfer is to be sent next; None for what did arrive, or may have."""
    if transfer.state is not TransferState.CREATED:
        return None
    failure = transfer.failure
    if failure is None or failure.code == FailureCode.BATCH_REFUSED:
        return real_now
    is_short = failure.code == FailureCode.INSUFFICIENT_BALANCE
    return real_now + (SHORT_TRIED_EVERY if is_short else wait_before(transfer.asked))


def next_question(transfer: Transfer, real_now: datetime) -> datetime | None:
    """When a transfer is to be asked about next; None where there is no more to learn."""
    if not transfer.is_in_flight:
        return None
    begun_at = transfer.submitted_at or real_now
    if transfer.state is TransferState.SUBMITTED and transfer.sent_at is not None:
        answered_by = transfer.sent_at + CALL_LASTS
        if real_now < answered_by:
            return answered_by
    if real_now >= begun_at + ASKED_FOR:
        return None
    return real_now + wait_before(transfer.asked)


def sent(transfer: Transfer, real_now: datetime) -> Transfer:
    """A transfer that is sent now. What may have left before is in doubt, whatever is answered."""
    is_first = transfer.state is TransferState.CREATED
    is_doubtful = transfer.state is TransferState.SUBMITTED
    again = TransferState.UNKNOWN if is_doubtful else transfer.state
    return replace(
        transfer,
        state=TransferState.SUBMITTED if is_first else again,
        failure=None if is_first else transfer.failure,
        submitted_at=transfer.submitted_at or real_now,
        sent_at=real_now,
        first_not_found_at=None,
    )


def destinations(transfers: Iterable[Transfer]) -> frozenset[str]:
    """The ends of the numbers that transfers go to."""
    return frozenset(one.to.last4 for one in transfers)


def too_soon(
    transfers: Sequence[Transfer],
    sent_at: Mapping[tuple[str, str, object], datetime],
    gap: timedelta,
    real_now: datetime,
) -> dict[PayoutTransferId, datetime]:
    """Which of these must wait, and until when, for the same went to the same account just now.

    Of the number only the end is compared: another account may have to wait, too.
    """
    last = dict(sent_at)
    waiting: dict[PayoutTransferId, datetime] = {}
    for one in transfers:
        same = (one.to.bank_code, one.to.last4, one.amount.amount)
        if same in last and last[same] + gap > real_now:
            waiting[one.id] = last[same] + gap
        else:
            last[same] = real_now
    return waiting


def sum_of(transfers: Iterable[Transfer]) -> Decimal:
    """What transfers of one currency are together."""
    return sum((one.amount.amount for one in transfers), Decimal(0))


def is_enough(balances: Sequence[Money], transfers: Sequence[Transfer]) -> bool:
    """Whether a provider's balance holds these transfers of one currency; fees come on top."""
    currency = transfers[0].amount.currency
    held = sum((one.amount for one in balances if one.currency == currency), Decimal(0))
    return held >= sum_of(transfers)
