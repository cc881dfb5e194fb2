"""Paystack's answers as outcomes. Wire facts: this folder's README."""

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.paystack import webhooks
from monigo.providers.paystack.requests import number_of
from monigo.providers.port import (
    Cause,
    Failed,
    FailureCode,
    Intent,
    Kind,
    NeedsAction,
    Outcome,
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

_CODES = {
    "insufficient_balance": FailureCode.INSUFFICIENT_BALANCE,
    "invalid_transfer_recipient": FailureCode.INVALID_RECIPIENT,
    "invalid_Key": FailureCode.UNAUTHORIZED,
}
# Of these the words say more.
_VAGUE_CODES = frozenset({"missing_params", "invalid_params"})
_DUPLICATE = re.compile(r"duplicate .*reference|reference already exists", re.IGNORECASE)
_REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")
_NOT_FOUND, _UNAUTHORIZED = 404, 401
_NO_ACCOUNT = Failed(
    code=FailureCode.INVALID_RECIPIENT, reason="the account was not accepted", is_final=False
)


def outcome(intent: Intent, answer: port.Answer) -> Outcome:
    """What an answer says."""
    fault = fault_of(answer)
    if fault is not None:
        return fault
    decoded = decode(answer.body)
    if at(decoded, "status") is not True or not is_fine(answer):
        return _refusal(intent, answer, decoded)
    made = _RESULTS[intent.verb](intent, at(decoded, "data"))
    return page_after(made, at(decoded, "meta", "page"), at(decoded, "meta", "pageCount"))


def _refusal(intent: Intent, answer: port.Answer, decoded: Any) -> Outcome:
    said, name = text(decoded, "message"), text(decoded, "code")
    if _DUPLICATE.search(said) or name == "duplicate_transfer_reference":
        if isinstance(intent, port.Bulk):
            return _refused_batch(intent, said)
        return Unknown(cause=Cause.DUPLICATE, detail=said)
    if intent.verb is Verb.LOOKUP and (answer.status == _NOT_FOUND or "not_found" in name):
        return Unknown(cause=Cause.NOT_FOUND, detail=said)
    code = _CODES.get(name) or refusal_of(said)
    if code is None and name in _VAGUE_CODES:
        code = FailureCode.INVALID_REQUEST
    if answer.status == _UNAUTHORIZED:
        code = FailureCode.UNAUTHORIZED
    # A processor may have done it, and a refusal under a 200 that we don't know may be none.
    is_doubtful = text(decoded, "type") == "processor_error" or (is_fine(answer) and not code)
    if is_doubtful and intent.verb in port.MOVES_MONEY:
        return Unknown(cause=Cause.UNRECOGNIZED, detail=said)
    return refused(intent, code or FailureCode.OTHER, said)


def _refused_batch(intent: port.Bulk, said: str) -> Outcome:
    """All of a bulk is refused for some references; only those may have arrived before."""
    known = set(re.findall(r"[a-z0-9_-]{16,50}", said))
    duplicate = Unknown(cause=Cause.DUPLICATE, detail=said)
    other = Failed(code=FailureCode.BATCH_REFUSED, reason=said, is_final=False)
    outcomes = {
        one.reference: duplicate if one.reference in known else other for one in intent.transfers
    }
    if not known & outcomes.keys():
        return duplicate
    return Succeeded(result=port.Batch(outcomes))


def _one(fact: port.Fact, reference: str) -> Outcome:
    """What a row says, if it is that of the reference that was asked about."""
    if fact.reference != reference:
        return Unknown(cause=Cause.UNRECOGNIZED, detail="the answer is of another reference")
    return outcome_of(fact)


def _paid(intent: port.Charge | port.Lookup, data: Any) -> Outcome:
    url = text(data, "authorization_url")
    if at(data, "paused") is True and url:
        return NeedsAction(url=url, access_code=text(data, "access_code"))
    return _one(webhooks.charge(data), intent.reference)


def _opened_checkout(intent: port.Checkout, data: Any) -> Outcome:
    url = text(data, "authorization_url")
    if not url or text(data, "reference") != intent.reference:
        return Unknown(cause=Cause.UNREADABLE, detail="no link")
    return NeedsAction(url=url, access_code=text(data, "access_code"))


def _refunded(intent: port.Refund | port.Lookup, data: Any) -> Outcome:
    return outcome_of(replace(webhooks.refund(data), reference=intent.reference))


def _sent(intent: port.Bulk, data: Any) -> Outcome:
    found = {one.reference: outcome_of(one) for one in map(webhooks.transfer, rows(data))}
    missing = Unknown(cause=Cause.UNRECOGNIZED, detail="the answer does not name it")
    # What was left out of the request for its account was never sent.
    known = {one.reference for one in intent.transfers if one.account.recipient}
    outcomes = {
        one.reference: found.get(one.reference, missing) if one.reference in known else _NO_ACCOUNT
        for one in intent.transfers
    }
    return Succeeded(result=port.Batch(outcomes))


def _looked_up(intent: port.Lookup, data: Any) -> Outcome:
    match intent.kind:
        case Kind.TRANSFER:
            return _one(webhooks.transfer(data), intent.reference)
        case Kind.REFUND:
            return _refunded(intent, data)
        case Kind.VIRTUAL_ACCOUNT:
            return _opened(intent, data)
        case _:
            return _paid(intent, data)


def _opened(intent: Intent, data: Any) -> Outcome:
    account = webhooks.opened(data)
    if account is None:
        return Unknown(cause=Cause.UNREADABLE, detail="no account number")
    return Succeeded(result=replace(account, reference=port.reference_of(intent)))


def _resolved(_: Intent, data: Any) -> Outcome:
    name = text(data, "account_name")
    if not name:
        return Unknown(cause=Cause.UNREADABLE, detail="no name")
    return Succeeded(result=port.AccountHolder(text(data, "account_number"), name))


def _banks(intent: port.Banks, data: Any) -> Outcome:
    return Succeeded(
        result=tuple(
            port.Bank(
                code=text(row, "code"),
                name=text(row, "name"),
                country=intent.country,
                currency=text(row, "currency") or intent.currency,
                method=intent.method,
            )
            for row in rows(data)
            if text(row, "code") and at(row, "active") is not False and not at(row, "is_deleted")
        )
    )


def _balances(_: Intent, data: Any) -> Outcome:
    found = (
        from_wire(at(row, "balance"), at(row, "currency"), webhooks.WIRES) for row in rows(data)
    )
    return Succeeded(result=tuple(one for one in found if one is not None))


def _listed(intent: port.ListRows, data: Any) -> Outcome:
    read = webhooks.transfer if intent.verb is Verb.LIST_TRANSFERS else webhooks.charge
    return Succeeded(result=port.Facts(tuple(map(read, rows(data)))))


def _deposits(intent: port.ListDeposits, data: Any) -> Outcome:
    found = map(webhooks.charge, rows(data))
    own = (one for one in found if one.account_number == intent.account_number)
    return Succeeded(result=port.Facts(tuple(own)))


def _refunds(intent: port.ListRefunds, data: Any) -> Outcome:
    found = map(webhooks.refund, rows(data))
    own = (one for one in found if one.charge_id == intent.charge_id)
    return Succeeded(result=port.Facts(tuple(own)))


def account_name(account: port.PayoutAccount) -> str:
    """By what an account is found among those that were made known."""
    return f"{account.code}:{number_of(account)}"


def _made_known(_: port.Recipients, data: Any) -> Outcome:
    names = {
        f"{text(row, 'details', 'bank_code')}:{text(row, 'details', 'account_number')}": text(
            row, "recipient_code"
        )
        for row in rows(data, "success")
    }
    refusals = {
        f"{text(row, 'payload', 'bank_code')}:{text(row, 'payload', 'account_number')}": text(
            row, "message"
        )
        for row in rows(data, "errors")
    }
    return Succeeded(result=port.Tokens(names, refusals))


def _customer(intent: port.Customer, data: Any) -> Outcome:
    if not text(data, "id"):
        return Unknown(cause=Cause.UNREADABLE, detail="no customer")
    return Succeeded(result=port.Tokens({intent.payer.email: text(data, "id")}, {}))


def _done(_: Intent, data: Any) -> Outcome:
    del data
    return Succeeded()


_RESULTS: dict[Verb, Callable[[Any, Any], Outcome]] = {
    Verb.CHARGE: _paid,
    Verb.CHECKOUT: _opened_checkout,
    Verb.REFUND: _refunded,
    Verb.TRANSFER: lambda it, data: _one(webhooks.transfer(data), it.reference),
    Verb.BULK: _sent,
    Verb.AUTHORIZE: lambda it, data: _one(webhooks.transfer(data), it.reference),
    Verb.RESEND_OTP: _done,
    Verb.VIRTUAL_ACCOUNT: _opened,
    Verb.CLOSE_VIRTUAL_ACCOUNT: _done,
    Verb.FORGET_METHOD: _done,
    Verb.RESOLVE: _resolved,
    Verb.BANKS: _banks,
    Verb.BALANCE: _balances,
    Verb.LOOKUP: _looked_up,
    Verb.LIST_CHARGES: _listed,
    Verb.LIST_TRANSFERS: _listed,
    Verb.LIST_DEPOSITS: _deposits,
    Verb.LIST_REFUNDS: _refunds,
    Verb.RECIPIENTS: _made_known,
    Verb.CUSTOMER: _customer,
}
