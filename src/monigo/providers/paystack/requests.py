"""Intents as requests of Paystack's REST API. Wire facts: this folder's README."""

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from monigo.core.errors import invalid
from monigo.providers import port
from monigo.providers.paystack.webhooks import WIRES
from monigo.providers.port import Intent, Kind, PayoutMethod, Request, Verb, get, post, to_wire

_BANK, _PHONE = PayoutMethod.BANK_TRANSFER, PayoutMethod.MOBILE_MONEY
_RECIPIENTS = {
    ("NGN", _BANK): "nuban",
    ("GHS", _BANK): "ghipss",
    ("GHS", _PHONE): "mobile_money",
    ("KES", _BANK): "kepss",
    ("KES", _PHONE): "mobile_money",
    ("ZAR", _BANK): "basa",
}
_COUNTRIES = {"NG": "nigeria", "GH": "ghana", "KE": "kenya", "ZA": "south africa"}
_CALLING_CODES = re.compile(r"^\+?(233|254)(?=[0-9]{9}$)")
_PAGE_SIZE = 100


def request(intent: Intent, keys: port.Keys) -> Request:
    """The request that an intent is sent as."""
    made = REQUESTS[intent.verb](intent)
    return replace(made, authorization=f"Bearer {keys.secret_key}")


def _charged(intent: port.Charge | port.Checkout) -> dict[str, Any]:
    return {
        **intent.options,
        "email": intent.payer.email,
        "amount": to_wire(intent.amount, WIRES),
        "currency": intent.amount.currency,
        "reference": intent.reference,
    }


def _checkout(intent: port.Checkout) -> Request:
    body = {**_charged(intent), "callback_url": intent.return_url}
    return post("transaction", "initialize", **body, channels=intent.channels)


def _charge(intent: port.Charge) -> Request:
    body = {**_charged(intent), "authorization_code": intent.token}
    return post("transaction", "charge_authorization", **body)


def _refund(intent: port.Refund) -> Request:
    return post(
        "refund",
        transaction=intent.charge_id or intent.charge_reference,
        amount=to_wire(intent.amount, WIRES),
        currency=intent.amount.currency,
        merchant_note=intent.reference,
        customer_note=intent.reason,
    )


def _paid_out(intent: port.Transfer) -> dict[str, Any]:
    return {
        "amount": to_wire(intent.amount, WIRES),
        "recipient": intent.account.recipient,
        "reference": intent.reference,
        "reason": intent.narration,
    }


def _transfer(intent: port.Transfer) -> Request:
    currency = intent.amount.currency
    return post("transfer", source="balance", currency=currency, **_paid_out(intent))


def _bulk(intent: port.Bulk) -> Request:
    sent = [_paid_out(one) for one in intent.transfers if one.account.recipient]
    currency = intent.transfers[0].amount.currency
    return post("transfer", "bulk", source="balance", currency=currency, transfers=sent)


def _recipient(account: port.PayoutAccount) -> dict[str, Any]:
    kind = _RECIPIENTS.get((account.currency, account.method))
    if kind is None:
        raise invalid({"currency": f"Paystack pays out no {account.currency} to such an account"})
    return {
        "type": kind,
        "name": account.name,
        "account_number": number_of(account),
        "bank_code": account.code,
        "currency": account.currency,
    }


def number_of(account: port.PayoutAccount) -> str:
    """The account's number; phones in the national form."""
    if account.method is PayoutMethod.BANK_TRANSFER:
        return account.number
    return _CALLING_CODES.sub("0", account.number)


def _customer(intent: port.Customer) -> Request:
    name, _, surname = intent.payer.name.partition(" ")
    names = {"first_name": name, "last_name": surname or name}
    return post("customer", email=intent.payer.email, phone=intent.payer.phone, **names)


def _banks(intent: port.Banks) -> Request:
    kind = "mobile_money" if intent.method is PayoutMethod.MOBILE_MONEY else ""
    country = _COUNTRIES.get(intent.country, intent.country)
    return get("bank", country=country, currency=intent.currency, type=kind, perPage=_PAGE_SIZE)


def _lookup(intent: port.Lookup) -> Request:
    match intent.kind:
        case Kind.TRANSFER:
            return get("transfer", "verify", intent.reference)
        case Kind.REFUND:
            return get("refund", intent.provider_id)
        case Kind.VIRTUAL_ACCOUNT:
            return get("dedicated_account", intent.provider_id)
        case _:
            return get("transaction", "verify", intent.reference)


def _list(intent: port.ListRows) -> Request:
    name = "transfer" if intent.verb is Verb.LIST_TRANSFERS else "transaction"
    times = {"from": intent.since.isoformat(), "to": intent.until.isoformat()}
    return get(name, perPage=_PAGE_SIZE, page=intent.page, **times)


def _deposits(intent: port.ListDeposits) -> Request:
    return get("transaction", customer=intent.customer, perPage=_PAGE_SIZE, page=intent.page)


REQUESTS: dict[Verb, Callable[[Any], Request]] = {
    Verb.CHARGE: _charge,
    Verb.CHECKOUT: _checkout,
    Verb.REFUND: _refund,
    Verb.TRANSFER: _transfer,
    Verb.BULK: _bulk,
    Verb.AUTHORIZE: lambda it: post(
        "transfer", "finalize_transfer", transfer_code=it.provider_id, otp=it.otp
    ),
    Verb.RESEND_OTP: lambda it: post(
        "transfer", "resend_otp", transfer_code=it.provider_id, reason="transfer"
    ),
    Verb.VIRTUAL_ACCOUNT: lambda it: post(
        "dedicated_account", customer=it.customer, preferred_bank=it.bank
    ),
    Verb.CLOSE_VIRTUAL_ACCOUNT: lambda it: Request(
        method="DELETE", path=("dedicated_account", it.provider_id)
    ),
    Verb.FORGET_METHOD: lambda it: post(
        "customer", "deactivate_authorization", authorization_code=it.token
    ),
    Verb.RESOLVE: lambda it: get("bank", "resolve", account_number=it.number, bank_code=it.code),
    Verb.BANKS: _banks,
    Verb.BALANCE: lambda _: get("balance"),
    Verb.LOOKUP: _lookup,
    Verb.LIST_CHARGES: _list,
    Verb.LIST_TRANSFERS: _list,
    Verb.LIST_DEPOSITS: _deposits,
    Verb.LIST_REFUNDS: lambda it: get(
        "refund", transaction=it.charge_id, perPage=_PAGE_SIZE, page=it.page
    ),
    Verb.RECIPIENTS: lambda it: post(
        "transferrecipient", "bulk", batch=[_recipient(one) for one in it.accounts]
    ),
    Verb.CUSTOMER: _customer,
}
