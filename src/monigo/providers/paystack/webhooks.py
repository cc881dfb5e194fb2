"""Paystack's rows and events as facts, and their signature. Wire facts: this folder's README."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from monigo.core.money import minor_unit_places
from monigo.providers import port
from monigo.providers.port import Authenticity, Fact, FailureCode, Kind, State, Wire, from_wire
from monigo.providers.reading import at, decline_of, decode, first, instant, refusal_of, text

SIGNATURE_HEADER = "x-paystack-signature"
_CURRENCIES = ("NGN", "USD", "GHS", "KES", "ZAR", "XOF", "EGP", "RWF")
# Hundredths of everything, also of what has none.
WIRES = {code: Wire(2, minor_unit_places(code)) for code in _CURRENCIES}

_CHARGES = {
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
    "reversed": State.REVERSED,
    # Sent for every checkout that nobody has paid yet; it can still be paid.
    **dict.fromkeys(("abandoned", "ongoing", "pending", "processing", "queued"), State.PENDING),
    **dict.fromkeys(("send_otp", "send_pin", "open_url", "pay_offline"), State.NEEDS_ACTION),
}
_BEING_PAID = frozenset({"ongoing", "pending", "processing", "queued"})
_TRANSFERS = {
    "success": State.SUCCEEDED,
    "reversed": State.REVERSED,
    "otp": State.NEEDS_ACTION,
    **dict.fromkeys(("pending", "queued", "processing", "received"), State.PENDING),
    **dict.fromkeys(("failed", "abandoned", "blocked", "rejected"), State.FAILED),
}
_REFUNDS = {
    "processed": State.SUCCEEDED,
    "failed": State.FAILED,
    "needs-attention": State.NEEDS_ACTION,
    **dict.fromkeys(("pending", "processing"), State.PENDING),
}
_ENDED = {
    "abandoned": FailureCode.ABANDONED,
    "blocked": FailureCode.REJECTED,
    "rejected": FailureCode.REJECTED,
}
_FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.REVERSED})


def authentic(headers: Mapping[str, str], raw: bytes, secrets: Sequence[str]) -> Authenticity:
    """Whether one of the secret keys signed the bytes."""
    given = headers.get(SIGNATURE_HEADER, "").encode()
    # A list, so that each is compared.
    made = [hmac.new(key.encode(), raw, hashlib.sha512).hexdigest().encode() for key in secrets]
    matches = [hmac.compare_digest(given, one) for one in made]
    return Authenticity.YES if True in matches else Authenticity.NO


def facts(headers: Mapping[str, str], raw: bytes) -> list[Fact]:
    """The facts of an event."""
    del headers
    decoded = decode(raw)
    event, data = text(decoded, "event"), at(decoded, "data")
    if event == "charge.success":
        return [charge(data)]
    if event == "bank.transfer.rejected":
        return [_rejected(data)]
    if event.startswith("dedicatedaccount.assign."):
        return [_assigned(data)]
    made = {"transfer": transfer, "refund": refund, "charge.dispute": _dispute}.get(
        event.rpartition(".")[0]
    )
    return [made(data)] if made else []


def charge(data: Any) -> Fact:
    """A transaction: a charge, or a deposit into a dedicated account."""
    currency = at(data, "currency")
    paid, asked, fee = (
        from_wire(at(data, name), currency, WIRES)
        for name in ("amount", "requested_amount", "fees")
    )
    over = paid - asked if paid and asked and paid > asked else None
    # More than the fee is no fee: the payer sent too much, and all of that is money.
    borne = over if over and (fee is None or over <= fee) else None
    status = text(data, "status")
    state = _CHARGES.get(status, State.UNKNOWN)
    reason = first(data, "gateway_response", "message")
    card = at(data, "authorization")
    fact = Fact(
        kind=Kind.CHARGE,
        state=state,
        reference=text(data, "reference"),
        provider_id=text(data, "id"),
        rail_id=text(data, "receipt_number"),
        amount=paid - borne if paid and borne else paid,
        fee=fee,
        fee_by_payer=borne,
        is_final=state in _FINAL,
        code=decline_of(reason) if state is State.FAILED else None,
        reason=reason or status,
        is_being_paid=status in _BEING_PAID,
        occurred_at=instant(first(data, "paid_at", "paidAt")),
        customer=text(data, "customer", "id"),
        method=_method(card, text(data, "customer", "email")),
    )
    if "dedicated_nuban" not in {text(data, "channel"), text(card, "channel")}:
        return fact
    number = text(card, "receiver_bank_account_number")
    return replace(fact, kind=Kind.DEPOSIT, reference="", account_number=number, method=None)


def transfer(data: Any) -> Fact:
    """A payout."""
    status = text(data, "status")
    state = _TRANSFERS.get(status, State.UNKNOWN)
    said = text(data, "gateway_response")
    code = _ENDED.get(status) or refusal_of(said)
    return Fact(
        kind=Kind.TRANSFER,
        state=state,
        reference=text(data, "reference"),
        provider_id=text(data, "transfer_code"),
        rail_id=text(data, "session", "id"),
        amount=from_wire(at(data, "amount"), at(data, "currency"), WIRES),
        fee=from_wire(at(data, "fee_charged"), at(data, "currency"), WIRES),
        is_final=state in _FINAL,
        code=code if state is State.FAILED else None,
        reason=said or status,
        needs_otp=state is State.NEEDS_ACTION,
        occurred_at=instant(first(data, "transferred_at", "updated_at", "updatedAt")),
    )


def refund(data: Any) -> Fact:
    """Money sent back; its own reference is Paystack's, ours is in the merchant's note."""
    status = text(data, "status")
    state = _REFUNDS.get(status, State.UNKNOWN)
    inner = at(data, "transaction")
    return Fact(
        kind=Kind.REFUND,
        state=state,
        provider_id=first(data, "id", "refund_reference"),
        amount=from_wire(at(data, "amount"), at(data, "currency"), WIRES),
        is_final=state in {State.SUCCEEDED, State.FAILED},
        code=FailureCode.OTHER if state is State.FAILED else None,
        reason=status,
        charge_reference=text(data, "transaction_reference") or text(inner, "reference"),
        charge_id=text(inner, "id") or text(data, "transaction"),
        note=text(data, "merchant_note"),
    )


def _dispute(data: Any) -> Fact:
    is_over, is_lost = text(data, "status") == "resolved", text(data, "resolution")
    lost = State.SUCCEEDED if is_lost == "merchant-accepted" else State.FAILED
    return Fact(
        kind=Kind.DISPUTE,
        state=lost if is_over else State.PENDING,
        provider_id=text(data, "id"),
        amount=from_wire(at(data, "refund_amount"), at(data, "currency"), WIRES),
        is_final=is_over,
        reason=is_lost or text(data, "status"),
        charge_reference=text(data, "transaction", "reference"),
        charge_id=text(data, "transaction", "id"),
    )


def _rejected(data: Any) -> Fact:
    said = first(at(data, "bank_transfer"), "message_type", "message")
    return Fact(
        kind=Kind.CHARGE,
        state=State.FAILED,
        charge_id=text(data, "bank_transfer", "transaction_id"),
        customer=text(data, "customer", "id"),
        code=decline_of(said),
        reason=said,
    )


def _assigned(data: Any) -> Fact:
    account = opened(at(data, "dedicated_account"), text(data, "customer", "id"))
    return Fact(
        kind=Kind.VIRTUAL_ACCOUNT,
        state=State.SUCCEEDED if account else State.FAILED,
        is_final=True,
        reason=text(data, "identification", "status"),
        customer=text(data, "customer", "id"),
        account=account,
    )


def opened(data: Any, customer: str = "") -> port.OpenedAccount | None:
    """A dedicated account; None where there is no number yet."""
    if not text(data, "account_number"):
        return None
    return port.OpenedAccount(
        account_number=text(data, "account_number"),
        account_name=text(data, "account_name"),
        bank_name=text(data, "bank", "name"),
        bank_code=text(data, "bank", "slug"),
        currency=text(data, "currency"),
        provider_id=text(data, "id"),
        customer=text(data, "customer", "id") or customer,
        is_active=at(data, "active") is not False,
    )


def _method(card: Any, email: str) -> port.SavedMethod | None:
    if not text(card, "authorization_code"):
        return None
    return port.SavedMethod(
        token=text(card, "authorization_code"),
        is_reusable=at(card, "reusable") is True,
        channel=text(card, "channel"),
        brand=first(card, "brand", "card_type"),
        last4=text(card, "last4"),
        exp_month=text(card, "exp_month"),
        exp_year=text(card, "exp_year"),
        bank=text(card, "bank"),
        fingerprint=text(card, "signature"),
        email=email,
    )
