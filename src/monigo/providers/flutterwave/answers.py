"""Flutterwave's answers as outcomes. Wire facts: this folder's README."""

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.flutterwave import webhooks
from monigo.providers.port import (
    Cause,
    FailureCode,
    Intent,
    Kind,
    NeedsAction,
    Outcome,
    Pending,
    Succeeded,
    Unknown,
    Verb,
    from_wire,
    outcome_of,
)
from monigo.providers.reading import (
    at,
    decode,
    fault_of,
    is_fine,
    page_after,
    refusal_of,
    refused,
    rows,
    text,
)

_DUPLICATE = re.compile(r"already exists|duplicate", re.IGNORECASE)
_NO_SUCH = re.compile(r"no transaction|invalid transaction id|not.{0,6}found", re.IGNORECASE)
_NOT_FOUND, _UNAUTHORIZED = 404, 401


def outcome(intent: Intent, answer: port.Answer) -> Outcome:
    """What an answer says."""
    fault = fault_of(answer)
    if fault is not None:
        return fault
    decoded = decode(answer.body)
    if text(decoded, "status") != "success" or not is_fine(answer):
        return _refusal(intent, answer, text(decoded, "message"))
    made = _RESULTS[intent.verb](intent, decoded)
    page = at(decoded, "meta", "page_info")
    return page_after(made, at(page, "current_page"), at(page, "total_pages"))


def _refusal(intent: Intent, answer: port.Answer, said: str) -> Outcome:
    """There are no codes: what is said decides, and words that we don't know decide nothing."""
    if _DUPLICATE.search(said):
        return Unknown(cause=Cause.DUPLICATE, detail=said)
    if intent.verb is Verb.LOOKUP and (answer.status == _NOT_FOUND or _NO_SUCH.search(said)):
        return Unknown(cause=Cause.NOT_FOUND, detail=said)
    code = FailureCode.UNAUTHORIZED if answer.status == _UNAUTHORIZED else refusal_of(said)
    if code is None and intent.verb in port.MOVES_MONEY:
        return Unknown(cause=Cause.UNRECOGNIZED, detail=said)
    return refused(intent, code or FailureCode.OTHER, said)


def _one(fact: port.Fact, reference: str) -> Outcome:
    """What a row says, if it is that of the reference that was asked about."""
    if fact.reference != reference:
        return Unknown(cause=Cause.UNRECOGNIZED, detail="the answer is of another reference")
    return outcome_of(fact)


def _charged(intent: port.Charge, decoded: Any) -> Outcome:
    made = _one(webhooks.charge(at(decoded, "data")), intent.reference)
    inner = at(decoded, "data", "meta", "authorization", "redirect")
    url = text(inner) or text(decoded, "meta", "authorization", "redirect")
    if isinstance(made, Pending) and url:
        return NeedsAction(url=url, fact=made.fact)
    return made


def _opened_checkout(_: port.Checkout, decoded: Any) -> Outcome:
    url = text(decoded, "data", "link")
    return NeedsAction(url=url) if url else Unknown(cause=Cause.UNREADABLE, detail="no link")


def _refunded(intent: port.Refund, decoded: Any) -> Outcome:
    fact = webhooks.refund(at(decoded, "data"), intent.amount.currency)
    return outcome_of(replace(fact, reference=intent.reference))


def _queued(intent: port.Bulk, decoded: Any) -> Outcome:
    named = text(decoded, "data", "id")
    if not named:
        return Unknown(cause=Cause.UNREADABLE, detail="no batch")
    outcomes = {one.reference: Pending() for one in intent.transfers}
    return Succeeded(result=port.Batch(outcomes, named))


def _opened(intent: port.VirtualAccount | port.Lookup, decoded: Any) -> Outcome:
    data = at(decoded, "data")
    number = text(data, "account_number")
    if not number:
        return Unknown(cause=Cause.UNREADABLE, detail="no account number")
    is_new = isinstance(intent, port.VirtualAccount)
    return Succeeded(
        result=port.OpenedAccount(
            account_number=number,
            account_name=text(data, "account_name") or (intent.payer.name if is_new else ""),
            bank_name=text(data, "bank_name"),
            currency=text(data, "currency") or (intent.currency if is_new else ""),
            provider_id=text(data, "order_ref"),
            reference=intent.reference,
            is_active=text(data, "status") != "inactive",
        )
    )


def _resolved(_: Intent, decoded: Any) -> Outcome:
    number, name = (text(decoded, "data", key) for key in ("account_number", "account_name"))
    if not name:
        return Unknown(cause=Cause.UNREADABLE, detail="no name")
    return Succeeded(result=port.AccountHolder(number, name))


def _banks(intent: port.Banks, decoded: Any) -> Outcome:
    found = (
        port.Bank(
            code=text(row, "code"),
            name=text(row, "name"),
            country=intent.country,
            currency=intent.currency,
        )
        for row in rows(decoded, "data")
    )
    return Succeeded(result=tuple(one for one in found if one.code))


def _balances(_: Intent, decoded: Any) -> Outcome:
    found = (
        from_wire(at(row, "available_balance"), at(row, "currency"), webhooks.WIRES)
        for row in rows(decoded, "data")
    )
    return Succeeded(result=tuple(one for one in found if one is not None))


def _looked_up(intent: port.Lookup, decoded: Any) -> Outcome:
    match intent.kind:
        case Kind.TRANSFER:
            return _found_transfer(intent, at(decoded, "data"))
        case Kind.REFUND:
            fact = webhooks.refund(at(decoded, "data"))
            return outcome_of(replace(fact, reference=intent.reference))
        case Kind.VIRTUAL_ACCOUNT:
            return _opened(intent, decoded)
        case _:
            return _one(webhooks.charge(at(decoded, "data")), intent.reference)


def _found_transfer(intent: port.Lookup, data: Any) -> Outcome:
    """The transfer, of which a list may hold others: the filter is no promise."""
    listed = rows(data) or ([data] if isinstance(data, dict) else [])
    found = [one for one in map(webhooks.transfer, listed) if one.reference == intent.reference]
    if not found:
        return Unknown(cause=Cause.NOT_FOUND, detail="not in the list")
    return outcome_of(found[0])


def _listed(intent: port.ListRows, decoded: Any) -> Outcome:
    read = webhooks.transfer if intent.verb is Verb.LIST_TRANSFERS else webhooks.charge
    return Succeeded(result=port.Facts(tuple(map(read, rows(decoded, "data")))))


def _deposits(intent: port.ListDeposits, decoded: Any) -> Outcome:
    found = map(webhooks.charge, rows(decoded, "data"))
    return Succeeded(
        result=port.Facts(
            tuple(
                replace(one, kind=Kind.DEPOSIT, account_reference=one.reference)
                for one in found
                if one.reference == intent.account_reference
            )
        )
    )


def _refunds(intent: port.ListRefunds, decoded: Any) -> Outcome:
    found = map(webhooks.refund, rows(decoded, "data"))
    own = (one for one in found if one.charge_id == intent.charge_id)
    return Succeeded(result=port.Facts(tuple(own)))


def _done(_: Intent, decoded: Any) -> Outcome:
    del decoded
    return Succeeded()


_RESULTS: dict[Verb, Callable[[Any, Any], Outcome]] = {
    Verb.CHARGE: _charged,
    Verb.CHECKOUT: _opened_checkout,
    Verb.DISABLE_CHECKOUT: _done,
    Verb.REFUND: _refunded,
    Verb.TRANSFER: lambda it, decoded: _one(webhooks.transfer(at(decoded, "data")), it.reference),
    Verb.BULK: _queued,
    Verb.VIRTUAL_ACCOUNT: _opened,
    Verb.CLOSE_VIRTUAL_ACCOUNT: _done,
    Verb.RESOLVE: _resolved,
    Verb.BANKS: _banks,
    Verb.BALANCE: _balances,
    Verb.LOOKUP: _looked_up,
    Verb.LIST_CHARGES: _listed,
    Verb.LIST_TRANSFERS: _listed,
    Verb.LIST_DEPOSITS: _deposits,
    Verb.LIST_REFUNDS: _refunds,
}
