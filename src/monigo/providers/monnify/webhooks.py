"""Monnify's rows and events as facts, and their signature. Wire facts: this folder's README."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from monigo.providers.port import (
    Authenticity,
    Fact,
    FailureCode,
    Kind,
    OpenedAccount,
    SavedMethod,
    State,
    Wire,
    from_wire,
)
from monigo.providers.reading import at, decline_of, decode, first, instant, refusal_of, text

SIGNATURE_HEADER = "monnify-signature"
# It takes naira only; what it names in another currency fits nothing, and can be read.
WIRES = {"NGN": Wire(0, 2), "": Wire(0, 2)}
NAIRA = "NGN"

_CHARGES = {
    # Of each there is money; only the first is what was asked for.
    **dict.fromkeys(("PAID", "OVERPAID", "PARTIALLY_PAID"), State.SUCCEEDED),
    "PENDING": State.PENDING,
    "REVERSED": State.REVERSED,
    **dict.fromkeys(("ABANDONED", "CANCELLED", "FAILED", "EXPIRED"), State.FAILED),
}
_TRANSFERS = {
    **dict.fromkeys(("SUCCESS", "COMPLETED"), State.SUCCEEDED),
    **dict.fromkeys(("PENDING", "AWAITING_PROCESSING", "IN_PROGRESS"), State.PENDING),
    **dict.fromkeys(("PENDING_AUTHORIZATION", "OTP_EMAIL_DISPATCH_FAILED"), State.NEEDS_ACTION),
    **dict.fromkeys(("FAILED", "EXPIRED"), State.FAILED),
    "REVERSED": State.REVERSED,
}
_REFUNDS = {
    "COMPLETED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    **dict.fromkeys(("PENDING", "IN_PROGRESS"), State.PENDING),
}
_ENDED = {
    "ABANDONED": FailureCode.ABANDONED,
    "CANCELLED": FailureCode.ABANDONED,
    "EXPIRED": FailureCode.EXPIRED,
}
_FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.REVERSED})


def authentic(headers: Mapping[str, str], raw: bytes, secrets: Sequence[str]) -> Authenticity:
    """Whether one of the client secrets signed the bytes."""
    given = headers.get(SIGNATURE_HEADER, "").encode()
    made = [hmac.new(key.encode(), raw, hashlib.sha512).hexdigest().encode() for key in secrets]
    # A list, so that each is compared.
    matches = [hmac.compare_digest(given, one) for one in made]
    return Authenticity.YES if True in matches else Authenticity.NO


def facts(headers: Mapping[str, str], raw: bytes) -> list[Fact]:
    """The facts of an event."""
    del headers
    decoded = decode(raw)
    event, data = text(decoded, "eventType"), at(decoded, "eventData")
    if event == "SUCCESSFUL_TRANSACTION":
        return [charge(data)]
    if event == "REJECTED_PAYMENT":
        return [_rejected(data)]
    if event.endswith("_DISBURSEMENT"):
        return [transfer(data)]
    if event.endswith("_REFUND"):
        return [refund(data)]
    return []


def charge(data: Any) -> Fact:
    """A transaction: a charge, or a deposit into a reserved account."""
    currency = first(data, "currency", "currencyCode") or NAIRA
    paid = from_wire(at(data, "amountPaid"), currency, WIRES)
    net = from_wire(at(data, "settlementAmount"), currency, WIRES)
    status = text(data, "paymentStatus")
    state = _CHARGES.get(status, State.UNKNOWN)
    reason = first(data, "paymentDescription") if state is State.FAILED else status
    is_deposit = text(data, "product", "type") == "RESERVED_ACCOUNT"
    return Fact(
        kind=Kind.DEPOSIT if is_deposit else Kind.CHARGE,
        state=state,
        reference="" if is_deposit else text(data, "paymentReference"),
        provider_id=text(data, "transactionReference"),
        rail_id=_session(data),
        # Nought stands where nobody paid.
        amount=paid or None,
        fee=paid - net if paid and net and paid >= net else None,
        is_final=state in _FINAL,
        code=_ENDED.get(status) or decline_of(reason) if state is State.FAILED else None,
        reason=reason,
        occurred_at=instant(first(data, "paidOn", "completedOn")),
        account_number=text(data, "destinationAccountInformation", "accountNumber"),
        account_reference=text(data, "product", "reference") if is_deposit else "",
        method=_method(at(data, "cardDetails"), text(data, "customer", "email")),
    )


def _session(data: Any) -> str:
    """The session of the bank transfer that paid; sources come in a list, or as one."""
    source = at(data, "paymentSourceInformation")
    return (
        text(source, 0, "sessionId")
        or text(source, "sessionId")
        or text(data, "accountPayments", 0, "sessionId")
    )


def _rejected(data: Any) -> Fact:
    said = text(data, "paymentRejectionInformation", "rejectionReason")
    is_deposit = text(data, "product", "type") == "RESERVED_ACCOUNT"
    return Fact(
        kind=Kind.DEPOSIT if is_deposit else Kind.CHARGE,
        state=State.FAILED,
        reference="" if is_deposit else text(data, "paymentReference"),
        provider_id=text(data, "transactionReference"),
        rail_id=_session(data),
        code=decline_of(said),
        reason=said,
        account_number=text(data, "paymentRejectionInformation", "destinationAccountNumber"),
        account_reference=text(data, "product", "reference") if is_deposit else "",
    )


def transfer(data: Any) -> Fact:
    """A payout; one that failed may come in an answer that says success."""
    status = text(data, "status")
    state = _TRANSFERS.get(status, State.UNKNOWN)
    said = first(data, "comment", "transactionDescription", "status")
    code = _ENDED.get(status) or refusal_of(said) or FailureCode.OTHER
    currency = text(data, "currency") or NAIRA
    return Fact(
        kind=Kind.TRANSFER,
        state=state,
        reference=text(data, "reference"),
        provider_id=text(data, "transactionReference"),
        rail_id=text(data, "sessionId"),
        amount=from_wire(at(data, "amount"), currency, WIRES),
        fee=from_wire(at(data, "totalFee") or at(data, "fee"), currency, WIRES),
        is_final=state in _FINAL,
        code=code if state is State.FAILED else None,
        reason=said,
        needs_otp=state is State.NEEDS_ACTION,
        occurred_at=instant(first(data, "completedOn", "dateCreated", "createdOn")),
    )


def refund(data: Any) -> Fact:
    """Money sent back, under our own reference."""
    status = text(data, "refundStatus")
    state = _REFUNDS.get(status, State.UNKNOWN)
    said = first(data, "comment", "refundStatus")
    return Fact(
        kind=Kind.REFUND,
        state=state,
        reference=text(data, "refundReference"),
        provider_id=text(data, "refundReference"),
        amount=from_wire(at(data, "refundAmount"), NAIRA, WIRES),
        is_final=state in _FINAL,
        code=(refusal_of(said) or FailureCode.OTHER) if state is State.FAILED else None,
        reason=said,
        occurred_at=instant(text(data, "completedOn")),
        charge_id=text(data, "transactionReference"),
    )


def opened(data: Any) -> OpenedAccount | None:
    """A reserved account, by the first of its banks; None where it has no number yet."""
    number = text(data, "accounts", 0, "accountNumber") or text(data, "accountNumber")
    if not number:
        return None
    return OpenedAccount(
        account_number=number,
        account_name=text(data, "accounts", 0, "accountName") or text(data, "accountName"),
        bank_name=text(data, "accounts", 0, "bankName") or text(data, "bankName"),
        bank_code=text(data, "accounts", 0, "bankCode") or text(data, "bankCode"),
        currency=text(data, "currencyCode") or NAIRA,
        provider_id=text(data, "reservationReference"),
        reference=text(data, "accountReference"),
        is_active=text(data, "status") == "ACTIVE",
    )


def _method(card: Any, email: str) -> SavedMethod | None:
    if not text(card, "cardToken"):
        return None
    return SavedMethod(
        token=text(card, "cardToken"),
        is_reusable=at(card, "reusable") is True and at(card, "supportsTokenization") is not False,
        brand=text(card, "cardType"),
        last4=text(card, "last4"),
        exp_month=text(card, "expMonth"),
        exp_year=text(card, "expYear"),
        bank=text(card, "bankName"),
        fingerprint=text(card, "maskedPan"),
        email=email,
    )
