"""Monnify's answers as outcomes. Wire facts: this folder's README."""

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.monnify import webhooks
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

# The same destination and amount within two minutes, and a refund's reference that was used.
_DUPLICATES = frozenset({"D07", "R9"})
_CODES = {"D01": FailureCode.INVALID_REQUEST, "D06": FailureCode.ADDRESS_NOT_ALLOWED}
_DUPLICATE = re.compile(r"duplicate|already (exist|been used|reserved)", re.IGNORECASE)
_NO_SUCH = re.compile(
    r"not.{0,6}found|does not exist|could not find|cannot find|no .{1,40} (found|with)",
    re.IGNORECASE,
)
_NOT_FOUND = 404
_UNAUTHORIZED = frozenset({401, 403})


def outcome(intent: Intent, answer: port.Answer) -> Outcome:
    """What an answer says: of its status, then of `requestSuccessful`, then of the row in it."""
    fault = fault_of(answer)
    if fault is not None:
        return fault
    decoded = decode(answer.body)
    if at(decoded, "requestSuccessful") is not True or not is_fine(answer):
        return _refusal(intent, answer, decoded)
    body = at(decoded, "responseBody")
    made = _RESULTS[intent.verb](intent, body)
    page, pages = at(body, "number"), at(body, "totalPages")
    if isinstance(page, int) and isinstance(pages, int):
        return page_after(made, page + 1, pages)
    return made


def _refusal(intent: Intent, answer: port.Answer, decoded: Any) -> Outcome:
    said = text(decoded, "responseMessage") or text(decoded, "error_description")
    name = text(decoded, "responseCode")
    if name in _DUPLICATES or _DUPLICATE.search(said):
        return Unknown(cause=Cause.DUPLICATE, detail=said)
    if intent.verb is Verb.LOOKUP and (answer.status == _NOT_FOUND or _NO_SUCH.search(said)):
        return Unknown(cause=Cause.NOT_FOUND, detail=said)
    code = _CODES.get(name) or refusal_of(said)
    if code is None and answer.status in _UNAUTHORIZED:
        code = FailureCode.UNAUTHORIZED
    # Of refunds each code is a refusal.
    if code is None and intent.verb in port.MOVES_MONEY and not name.startswith("R"):
        return Unknown(cause=Cause.UNRECOGNIZED, detail=f"{name} {said}".strip())
    return refused(intent, code or FailureCode.OTHER, said)


def _one(fact: port.Fact, reference: str) -> Outcome:
    """What a row says, if it is that of the reference that was asked about."""
    if fact.reference != reference:
        return Unknown(cause=Cause.UNRECOGNIZED, detail="the answer is of another reference")
    return outcome_of(fact)


def _opened_checkout(intent: port.Checkout, body: Any) -> Outcome:
    url = text(body, "checkoutUrl")
    if not url or text(body, "paymentReference") != intent.reference:
        return Unknown(cause=Cause.UNREADABLE, detail="no link")
    return NeedsAction(url=url, provider_id=text(body, "transactionReference"))


def _batched(intent: port.Bulk, body: Any) -> Outcome:
    named = text(body, "batchReference")
    if named != intent.reference:
        return Unknown(cause=Cause.UNREADABLE, detail="no batch")
    waits = text(body, "batchStatus") == "PENDING_BATCH_AUTHORIZATION"
    each = NeedsAction(needs_otp=True, provider_id=named) if waits else Pending()
    outcomes: dict[str, Outcome] = {one.reference: each for one in intent.transfers}
    return Succeeded(result=port.Batch(outcomes, named))


def _opened(intent: port.VirtualAccount | port.Lookup, body: Any) -> Outcome:
    account = webhooks.opened(body)
    if account is None or account.reference != intent.reference:
        return Unknown(cause=Cause.UNREADABLE, detail="no account number")
    return Succeeded(result=account)


def _resolved(_: Intent, body: Any) -> Outcome:
    name = text(body, "accountName")
    if not name:
        return Unknown(cause=Cause.UNREADABLE, detail="no name")
    return Succeeded(result=port.AccountHolder(text(body, "accountNumber"), name))


def _banks(intent: port.Banks, body: Any) -> Outcome:
    found = (
        port.Bank(code=text(row, "code"), name=text(row, "name"), country="NG", currency="NGN")
        for row in rows(body)
    )
    is_here = intent.country == "NG" and intent.method is port.PayoutMethod.BANK_TRANSFER
    return Succeeded(result=tuple(one for one in found if one.code) if is_here else ())


def _balance(_: Intent, body: Any) -> Outcome:
    available = from_wire(at(body, "availableBalance"), webhooks.NAIRA, webhooks.WIRES)
    if available is None:
        return Unknown(cause=Cause.UNREADABLE, detail="no balance")
    return Succeeded(result=(available,))


def _looked_up(intent: port.Lookup, body: Any) -> Outcome:
    match intent.kind:
        case Kind.TRANSFER:
            return _one(webhooks.transfer(body), intent.reference)
        case Kind.REFUND:
            return _one(webhooks.refund(body), intent.reference)
        case Kind.VIRTUAL_ACCOUNT:
            return _opened(intent, body)
        case Kind.DEPOSIT:
            return outcome_of(webhooks.charge(body))
        case _:
            return _one(webhooks.charge(body), intent.reference)


def _listed(intent: port.ListRows, body: Any) -> Outcome:
    read = webhooks.transfer if intent.verb is Verb.LIST_TRANSFERS else webhooks.charge
    return Succeeded(result=port.Facts(tuple(map(read, rows(body, "content")))))


def _deposits(intent: port.ListDeposits, body: Any) -> Outcome:
    named = intent.account_reference
    found = (
        replace(one, kind=Kind.DEPOSIT, reference="", account_reference=named)
        for one in map(webhooks.charge, rows(body, "content"))
    )
    return Succeeded(result=port.Facts(tuple(found)))


def _done(_: Intent, body: Any) -> Outcome:
    del body
    return Succeeded()


_RESULTS: dict[Verb, Callable[[Any, Any], Outcome]] = {
    Verb.CHARGE: lambda it, body: _one(webhooks.charge(body), it.reference),
    Verb.CHECKOUT: _opened_checkout,
    Verb.REFUND: lambda it, body: _one(webhooks.refund(body), it.reference),
    Verb.TRANSFER: lambda it, body: _one(webhooks.transfer(body), it.reference),
    Verb.BULK: _batched,
    Verb.AUTHORIZE: lambda it, body: _one(webhooks.transfer(body), it.reference),
    Verb.RESEND_OTP: _done,
    Verb.VIRTUAL_ACCOUNT: _opened,
    Verb.CLOSE_VIRTUAL_ACCOUNT: _done,
    Verb.RESOLVE: _resolved,
    Verb.BANKS: _banks,
    Verb.BALANCE: _balance,
    Verb.LOOKUP: _looked_up,
    Verb.LIST_CHARGES: _listed,
    Verb.LIST_TRANSFERS: _listed,
    Verb.LIST_DEPOSITS: _deposits,
}
