"""Intents as requests of Flutterwave's REST API, v3. Wire facts: this folder's README."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.flutterwave.webhooks import WIRES
from monigo.providers.port import Intent, Kind, PayoutMethod, Request, Verb, get, post, to_wire

# Where a currency is one country's only.
_COUNTRIES = {
    "NGN": "NG",
    "GHS": "GH",
    "KES": "KE",
    "UGX": "UG",
    "TZS": "TZ",
    "RWF": "RW",
    "ZMW": "ZM",
    "ZAR": "ZA",
    "MWK": "MW",
    "EGP": "EG",
    "ETB": "ET",
}


def request(intent: Intent, keys: port.Keys) -> Request:
    """The request that an intent is sent as."""
    made = REQUESTS[intent.verb](intent)
    return replace(made, authorization=f"Bearer {keys.secret_key}")


def _charge(intent: port.Charge) -> Request:
    name, _, surname = intent.payer.name.partition(" ")
    body = {
        "narration": intent.description,
        "first_name": name,
        "last_name": surname,
        "country": _COUNTRIES.get(intent.amount.currency),
        **intent.options,
        "token": intent.token,
        "email": intent.payer.email,
        "tx_ref": intent.reference,
        "amount": to_wire(intent.amount, WIRES),
        "currency": intent.amount.currency,
    }
    return post("tokenized-charges", **body)


def _checkout(intent: port.Checkout) -> Request:
    payer = intent.payer
    body = {
        "customizations": {"title": intent.description} if intent.description else None,
        "payment_options": ", ".join(intent.channels),
        **intent.options,
        "tx_ref": intent.reference,
        "amount": to_wire(intent.amount, WIRES),
        "currency": intent.amount.currency,
        "redirect_url": intent.return_url,
        "customer": {"email": payer.email, "name": payer.name, "phonenumber": payer.phone},
    }
    return post("payments", **body)


def _refund(intent: port.Refund) -> Request:
    amount = to_wire(intent.amount, WIRES)
    path = ("transactions", intent.charge_id, "refund")
    return post(*path, amount=amount, comments=intent.reference)


def _paid_out(intent: port.Transfer, *, bank: str) -> dict[str, Any]:
    """A payout; `bank` is what the field of the bank or network is called."""
    account = intent.account
    is_phone = account.method is PayoutMethod.MOBILE_MONEY
    return {
        bank: account.code,
        "account_number": account.number.removeprefix("+") if is_phone else account.number,
        "amount": to_wire(intent.amount, WIRES),
        "currency": intent.amount.currency,
        "narration": intent.narration,
        "reference": intent.reference,
        "beneficiary_name": account.name,
    }


def _transfer(intent: port.Transfer) -> Request:
    body = _paid_out(intent, bank="account_bank")
    return post("transfers", **body, debit_currency=intent.amount.currency)


def _bulk(intent: port.Bulk) -> Request:
    sent = [_paid_out(one, bank="bank_code") for one in intent.transfers]
    return post("bulk-transfers", title=intent.title or intent.reference, bulk_data=sent)


def _virtual_account(intent: port.VirtualAccount) -> Request:
    name, _, surname = intent.payer.name.partition(" ")
    return post(
        "virtual-account-numbers",
        email=intent.payer.email,
        tx_ref=intent.reference,
        currency=intent.currency,
        is_permanent=True,
        bvn=intent.bvn,
        nin=intent.nin,
        narration=intent.payer.name,
        phonenumber=intent.payer.phone,
        firstname=name,
        lastname=surname,
    )


def _lookup(intent: port.Lookup) -> Request:
    named = intent.provider_id
    match intent.kind:
        case Kind.TRANSFER:
            # There is no reading by reference: the list is filtered by it.
            by_reference = get("transfers", reference=intent.reference)
            return get("transfers", named) if named else by_reference
        case Kind.REFUND:
            return get("refunds", named)
        case Kind.VIRTUAL_ACCOUNT:
            return get("virtual-account-numbers", named)
        case _ if named:
            return get("transactions", named, "verify")
        case _:
            return get("transactions", "verify_by_reference", tx_ref=intent.reference)


def _list(intent: port.ListRows) -> Request:
    name = "transfers" if intent.verb is Verb.LIST_TRANSFERS else "transactions"
    days = {"from": intent.since.date().isoformat(), "to": intent.until.date().isoformat()}
    return get(name, page=intent.page, **days)


REQUESTS: dict[Verb, Callable[[Any], Request]] = {
    Verb.CHARGE: _charge,
    Verb.CHECKOUT: _checkout,
    Verb.DISABLE_CHECKOUT: lambda it: post("payments", "link", "disable", link=it.url),
    Verb.REFUND: _refund,
    Verb.TRANSFER: _transfer,
    Verb.BULK: _bulk,
    Verb.VIRTUAL_ACCOUNT: _virtual_account,
    Verb.CLOSE_VIRTUAL_ACCOUNT: lambda it: post(
        "virtual-account-numbers", it.provider_id, status="inactive"
    ),
    Verb.RESOLVE: lambda it: post(
        "accounts", "resolve", account_number=it.number, account_bank=it.code
    ),
    Verb.BANKS: lambda it: get("banks", it.country),
    Verb.BALANCE: lambda _: get("balances"),
    Verb.LOOKUP: _lookup,
    Verb.LIST_CHARGES: _list,
    Verb.LIST_TRANSFERS: _list,
    Verb.LIST_DEPOSITS: lambda it: get("transactions", tx_ref=it.account_reference, page=it.page),
    Verb.LIST_REFUNDS: lambda it: get("refunds", page=it.page),
}
