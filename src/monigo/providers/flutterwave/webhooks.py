"""Flutterwave's rows and events as facts, and their secret hash. Wire facts: the README here."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from monigo.core.money import minor_unit_places
from monigo.providers.port import (
    Authenticity,
    Fact,
    FailureCode,
    Kind,
    SavedMethod,
    State,
    Wire,
    from_wire,
)
from monigo.providers.reading import at, decline_of, decode, first, instant, refusal_of, text

SIGNATURE_HEADER = "verif-hash"
# Major units. The countries of each are in the adapter's markets.
CURRENCIES = (
    *("NGN", "GHS", "KES", "UGX", "TZS", "RWF", "ZMW", "ZAR", "XOF", "XAF"),
    *("MWK", "EGP", "ETB", "USD", "EUR", "GBP", "SLE", "GNF", "TND"),
)
WIRES = {
    # Of any currency, what it names can be read.
    "": Wire(0, 0),
    **{code: Wire(0, minor_unit_places(code)) for code in CURRENCIES},
}
_CHARGES = {
    "successful": State.SUCCEEDED,
    "failed": State.FAILED,
    "pending": State.PENDING,
}
_TRANSFERS = {
    "SUCCESSFUL": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "NEW": State.PENDING,
    "PENDING": State.PENDING,
}
_REFUNDS = {
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
    "pending": State.PENDING,
    "new": State.PENDING,
}
# The names of the old, flat payloads.
_OLD_NAMES = {"txRef": "tx_ref", "flwRef": "flw_ref", "appfee": "app_fee"}


def authentic(headers: Mapping[str, str], raw: bytes, secrets: Sequence[str]) -> Authenticity:
    """Whether the sender knows one of the secret hashes, which proves nothing of the bytes."""
    del raw
    given = headers.get(SIGNATURE_HEADER, "").encode()
    known = [secret.encode() for secret in secrets if secret]
    if not known:
        return Authenticity.UNVERIFIABLE
    # A list, so that each is compared.
    matches = [hmac.compare_digest(given, one) for one in known]
    return Authenticity.YES if True in matches else Authenticity.NO


def facts(headers: Mapping[str, str], raw: bytes) -> list[Fact]:
    """The facts of an event; `transfer.completed` and `charge.completed` report failures, too."""
    del headers
    decoded = decode(raw)
    event, data = text(decoded, "event"), at(decoded, "data")
    if event == "charge.completed":
        return [_of_account(charge(data), text(decoded, "event.type"))]
    if event == "transfer.completed":
        return [transfer(data)]
    if not event and text(decoded, "event.type") == "Transfer":
        return [transfer(at(decoded, "transfer"))]
    if not event and text(decoded, "txRef"):
        flat = {_OLD_NAMES.get(name, name): value for name, value in decoded.items()}
        return [_of_account(charge(flat), text(decoded, "event.type"))]
    return []


def _of_account(fact: Fact, event_type: str) -> Fact:
    """A deposit, where money came by bank transfer.

    It may have come into a virtual account or pay a checkout: both name the reference only that
    the one or the other was opened with.
    """
    if event_type != "BANK_TRANSFER_TRANSACTION":
        return fact
    return replace(fact, kind=Kind.DEPOSIT, account_reference=fact.reference)


def charge(data: Any) -> Fact:
    """A transaction."""
    currency = at(data, "currency")
    amount, charged, fee = (
        from_wire(at(data, name), currency, WIRES)
        for name in ("amount", "charged_amount", "app_fee")
    )
    state = _CHARGES.get(text(data, "status").lower(), State.UNKNOWN)
    reason = first(data, "processor_response", "status")
    return Fact(
        kind=Kind.CHARGE,
        state=state,
        reference=text(data, "tx_ref"),
        provider_id=text(data, "id"),
        rail_id=text(data, "meta_data", "sessionid"),
        amount=amount,
        fee=fee,
        fee_by_payer=charged - amount if charged and amount and charged > amount else None,
        is_final=state in {State.SUCCEEDED, State.FAILED},
        code=decline_of(reason) if state is State.FAILED else None,
        reason=reason,
        # Before its payer begins, it knows nothing of a link.
        is_being_paid=state is State.PENDING,
        occurred_at=instant(text(data, "created_at")),
        customer=text(data, "customer", "id"),
        method=_method(at(data, "card"), text(data, "customer", "email")),
    )


def transfer(data: Any) -> Fact:
    """A payout; too little balance may be a row that failed."""
    state = _TRANSFERS.get(text(data, "status").upper(), State.UNKNOWN)
    waits = text(data, "requires_approval") == "1" and text(data, "is_approved") == "0"
    if state is State.PENDING and waits:
        state = State.NEEDS_ACTION
    said = first(data, "complete_message", "status")
    code = refusal_of(said) or FailureCode.OTHER
    return Fact(
        kind=Kind.TRANSFER,
        state=state,
        reference=text(data, "reference"),
        provider_id=text(data, "id"),
        amount=from_wire(at(data, "amount"), at(data, "currency"), WIRES),
        fee=from_wire(at(data, "fee"), at(data, "currency"), WIRES),
        is_final=state in {State.SUCCEEDED, State.FAILED},
        code=code if state is State.FAILED else None,
        reason=said,
        occurred_at=instant(text(data, "created_at")),
    )


def refund(data: Any, currency: str = "") -> Fact:
    """Money sent back, whose currency is that of its charge; ours is the comment's reference."""
    # Such as completed-bank-transfer.
    status = text(data, "status").lower()
    state = _REFUNDS.get(status.partition("-")[0], State.UNKNOWN)
    return Fact(
        kind=Kind.REFUND,
        state=state,
        provider_id=text(data, "id"),
        amount=from_wire(
            at(data, "amount_refunded"), text(data, "currency") or currency or None, WIRES
        ),
        is_final=state in {State.SUCCEEDED, State.FAILED},
        code=FailureCode.OTHER if state is State.FAILED else None,
        reason=status,
        charge_id=first(data, "tx_id", "transaction_id"),
        note=first(data, "comments", "comment"),
        occurred_at=instant(text(data, "created_at")),
    )


def _method(card: Any, email: str) -> SavedMethod | None:
    token = first(card, "token", "life_time_token")
    if not token:
        return None
    month, _, year = text(card, "expiry").partition("/")
    return SavedMethod(
        token=token,
        is_reusable=True,
        brand=text(card, "type"),
        last4=text(card, "last_4digits"),
        exp_month=month,
        exp_year=f"20{year}" if year else "",
        bank=text(card, "issuer"),
        fingerprint=f"{text(card, 'first_6digits')}-{text(card, 'last_4digits')}-{month}{year}",
        email=email,
    )
