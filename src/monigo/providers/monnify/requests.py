"""Intents as requests of Monnify's REST API. Wire facts: this folder's README."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from monigo.providers import port
from monigo.providers.monnify.webhooks import WIRES
from monigo.providers.port import Intent, Keys, Kind, Request, Verb, get, post, to_wire
from monigo.providers.reading import at, decode, text

_V1, _V2 = ("api", "v1"), ("api", "v2")
_RESERVED = ("bank-transfer", "reserved-accounts")
_PAGE_SIZE = 100
# What Monnify takes of a refund's reason and of its note to the payer.
_REASON_LENGTH_MAX, _NOTE_LENGTH_MAX = 64, 16


def request(intent: Intent, keys: Keys) -> Request:
    """The request that an intent is sent as; the client adds the token of a login."""
    return REQUESTS[intent.verb](intent, keys)


def login_request(keys: Keys) -> Request:
    """The request of a token."""
    pair = base64.b64encode(f"{keys.public_key}:{keys.secret_key}".encode()).decode()
    return Request(method="POST", path=(*_V1, "auth", "login"), authorization=f"Basic {pair}")


def token_of(answer: port.Answer) -> port.Token | None:
    """The token in the answer to a login."""
    body = at(decode(answer.body), "responseBody")
    seconds = at(body, "expiresIn")
    if not text(body, "accessToken") or not isinstance(seconds, int):
        return None
    return port.Token(text(body, "accessToken"), timedelta(seconds=min(seconds, 86_400)))


def _asked(intent: port.Charge | port.Checkout, keys: Keys) -> dict[str, Any]:
    return {
        "amount": to_wire(intent.amount, WIRES),
        "customerName": intent.payer.name or intent.payer.email,
        "customerEmail": intent.payer.email,
        "paymentReference": intent.reference,
        "paymentDescription": intent.description or intent.reference,
        "currencyCode": intent.amount.currency,
        "contractCode": keys.contract_code,
    }


def _checkout(intent: port.Checkout, keys: Keys) -> Request:
    body = {**intent.options, **_asked(intent, keys), "redirectUrl": intent.return_url}
    path = (*_V1, "merchant", "transactions", "init-transaction")
    return post(*path, **body, paymentMethods=intent.channels)


def _charge(intent: port.Charge, keys: Keys) -> Request:
    body = {**intent.options, **_asked(intent, keys), "cardToken": intent.token}
    return post(*_V1, "merchant", "cards", "charge-card-token", **body, apiKey=keys.public_key)


def _refund(intent: port.Refund, keys: Keys) -> Request:
    del keys
    return post(
        *_V1,
        "refunds",
        "initiate-refund",
        transactionReference=intent.charge_id,
        refundReference=intent.reference,
        refundAmount=to_wire(intent.amount, WIRES),
        refundReason=(intent.reason or "refund")[:_REASON_LENGTH_MAX],
        customerNote=(intent.reason or "refund")[:_NOTE_LENGTH_MAX],
    )


def _paid_out(intent: port.Transfer) -> dict[str, Any]:
    return {
        "amount": to_wire(intent.amount, WIRES),
        "reference": intent.reference,
        "narration": intent.narration or intent.reference,
        "destinationBankCode": intent.account.code,
        "destinationAccountNumber": intent.account.number,
        "destinationAccountName": intent.account.name,
        "currency": intent.amount.currency,
    }


def _transfer(intent: port.Transfer, keys: Keys) -> Request:
    source = keys.source_account_number
    path = (*_V2, "disbursements", "single")
    return post(*path, **_paid_out(intent), sourceAccountNumber=source)


def _bulk(intent: port.Bulk, keys: Keys) -> Request:
    return post(
        *_V2,
        "disbursements",
        "batch",
        title=intent.title or intent.reference,
        batchReference=intent.reference,
        narration=intent.title or intent.reference,
        sourceAccountNumber=keys.source_account_number,
        # One row's failure is its own.
        onValidationFailure="CONTINUE",
        notificationInterval=10,
        transactionList=[_paid_out(one) for one in intent.transfers],
    )


def _virtual_account(intent: port.VirtualAccount, keys: Keys) -> Request:
    name = intent.payer.name or intent.payer.email
    return post(
        *_V2,
        *_RESERVED,
        accountReference=intent.reference,
        accountName=name,
        currencyCode=intent.currency,
        contractCode=keys.contract_code,
        customerEmail=intent.payer.email,
        customerName=name,
        bvn=intent.bvn,
        nin=intent.nin,
        getAllAvailableBanks=not intent.bank,
        preferredBanks=[intent.bank] if intent.bank else None,
    )


def _lookup(intent: port.Lookup, keys: Keys) -> Request:
    del keys
    match intent.kind:
        case Kind.TRANSFER:
            path = (*_V2, "disbursements", "single", "summary")
            return get(*path, reference=intent.reference)
        case Kind.REFUND:
            return get(*_V1, "refunds", intent.reference)
        case Kind.VIRTUAL_ACCOUNT:
            return get(*_V2, *_RESERVED, intent.reference)
        case _ if intent.provider_id:
            return get(*_V2, "transactions", intent.provider_id)
        case _:
            path = (*_V2, "merchant", "transactions", "query")
            return get(*path, paymentReference=intent.reference)


def _list_charges(intent: port.ListRows, keys: Keys) -> Request:
    del keys
    # Its pages count from nought.
    times = {"from": _milliseconds(intent.since), "to": _milliseconds(intent.until)}
    path = (*_V1, "transactions", "search")
    return get(*path, page=intent.page - 1, size=_PAGE_SIZE, **times)


def _list_transfers(intent: port.ListRows, keys: Keys) -> Request:
    return get(
        *(*_V2, "disbursements", "search-transactions"),
        sourceAccountNumber=keys.source_account_number,
        startDate=_milliseconds(intent.since),
        endDate=_milliseconds(intent.until),
        pageNo=intent.page - 1,
        pageSize=_PAGE_SIZE,
    )


def _deposits(intent: port.ListDeposits, keys: Keys) -> Request:
    del keys
    path = (*_V1, *_RESERVED, "transactions")
    named = intent.account_reference
    return get(*path, accountReference=named, page=intent.page - 1, size=_PAGE_SIZE)


def _milliseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


REQUESTS: dict[Verb, Callable[[Any, Keys], Request]] = {
    Verb.CHARGE: _charge,
    Verb.CHECKOUT: _checkout,
    Verb.REFUND: _refund,
    Verb.TRANSFER: _transfer,
    Verb.BULK: _bulk,
    Verb.AUTHORIZE: lambda it, _: post(
        *(*_V2, "disbursements", "single", "validate-otp"),
        reference=it.reference,
        authorizationCode=it.otp,
    ),
    Verb.RESEND_OTP: lambda it, _: post(
        *(*_V2, "disbursements", "single", "resend-otp"), reference=it.reference
    ),
    Verb.VIRTUAL_ACCOUNT: _virtual_account,
    Verb.CLOSE_VIRTUAL_ACCOUNT: lambda it, _: Request(
        method="DELETE", path=(*_V1, *_RESERVED, "reference", it.reference)
    ),
    Verb.RESOLVE: lambda it, _: get(
        *(*_V1, "disbursements", "account", "validate"),
        accountNumber=it.number,
        bankCode=it.code,
    ),
    Verb.BANKS: lambda _, __: get(*_V1, "banks"),
    Verb.BALANCE: lambda _, keys: get(
        *(*_V2, "disbursements", "wallet-balance"), accountNumber=keys.source_account_number
    ),
    Verb.LOOKUP: _lookup,
    Verb.LIST_CHARGES: _list_charges,
    Verb.LIST_TRANSFERS: _list_transfers,
    Verb.LIST_DEPOSITS: _deposits,
}
