"""Monnify's shapes: envelopes, rows, events and log-ins, as the simulator writes them."""

import base64
import binascii
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from starlette.requests import Request

from monigo.infra import json
from monigo.providers.simulator.books import (
    Account,
    Charge,
    Merchant,
    Refund,
    Row,
    Transfer,
)
from monigo.providers.simulator.engine import CARDS, Simulator
from monigo.providers.simulator.protocol import Ask, Reply, Shapes, bank_name, bearer, signed

NAME = "monnify"
LOGIN_PATH = "/api/v1/auth/login"
_CHARGE_WORDS = {"success": "PAID", "open": "PENDING"}
_TRANSFER_WORDS = {"otp": "PENDING_AUTHORIZATION", "abandoned": "EXPIRED"}
_REFUND_WORDS = {"success": "COMPLETED"}


def fine(body: Any, message: str = "success") -> Reply:
    """The envelope of what went well."""
    return Reply(200, _envelope(message, "0", body, is_fine=True))


def error(status: int, code: str, message: str) -> Reply:
    """The envelope of what was refused."""
    return Reply(
        status, _envelope(message, code if code[:1] in "DR" else "99", None, is_fine=False)
    )


def _envelope(message: str, code: str, body: Any, *, is_fine: bool) -> dict[str, Any]:
    return {
        "requestSuccessful": is_fine,
        "responseMessage": message,
        "responseCode": code,
        **({} if body is None else {"responseBody": body}),
    }


def duplicate(verb: str) -> Reply:
    """The refusal of a reference that was used."""
    if verb == "refund":
        return error(400, "R9", "Duplicate refund reference")
    return error(400, "99", "Duplicate reference: it already exists")


def _merchant(simulator: Simulator, request: Request) -> Merchant | None:
    """Whose token it is; a log-in shows key and secret themselves."""
    if not request.url.path.endswith(LOGIN_PATH):
        secret = simulator.tokens.get(bearer(request))
        return simulator.merchant(NAME, secret) if secret else None
    kind, _, pair = request.headers.get("authorization", "").partition(" ")
    try:
        key, _, secret = base64.b64decode(pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    is_good = kind == "Basic" and key.startswith("MK_TEST_") and secret
    return simulator.merchant(NAME, secret, key) if is_good else None


SHAPES = Shapes(
    NAME,
    error,
    duplicate,
    _merchant,
    Reply(401, {"error": "invalid_token", "error_description": "Cannot convert access token"}),
)


def whose(ask: Ask) -> dict[str, Any]:
    """By what a merchant's rows are found."""
    return {"provider": NAME, "merchant": ask.merchant.merchant}


def page_of(ask: Ask, rows: list[Any]) -> dict[str, Any]:
    """The part of a list that is asked for; pages count from nought."""
    size = max(1, ask.count("size", "pageSize", usual=10, most=100))
    page = ask.count("page", "pageNo", usual=0)
    pages = max(1, -(-len(rows) // size))
    return {
        "content": rows[page * size : (page + 1) * size],
        "number": page,
        "size": size,
        "totalElements": len(rows),
        "totalPages": pages,
        "last": page + 1 >= pages,
    }


def reference_of(charge: Charge) -> str:
    """Monnify's own reference of a transaction, with the bars that must be encoded."""
    return f"MNFY|04|20260101000000|{charge.id}"


def transaction(charge: Charge, account: Account | None = None) -> dict[str, Any]:
    """A transaction as webhooks show it: amounts are numbers, but for the one that is text."""
    paid = charge.paid or Decimal(0)
    own = reference_of(charge)
    is_deposit = charge.channel == "deposit"
    words = dict(_CHARGE_WORDS)
    if charge.status == "success" and paid != charge.amount:
        words["success"] = "OVERPAID" if paid > charge.amount else "PARTIALLY_PAID"
    shown: dict[str, Any] = {
        "product": {
            "type": "RESERVED_ACCOUNT" if is_deposit else "WEB_SDK",
            "reference": account.reference if account else charge.reference,
        },
        "transactionReference": own,
        "paymentReference": own if is_deposit else charge.reference,
        "paidOn": _lagos(charge.at),
        "paymentDescription": charge.reason or "Payment",
        "metaData": {},
        "paymentSourceInformation": [],
        "destinationAccountInformation": {},
        "amountPaid": paid,
        "totalPayable": charge.amount,
        "cardDetails": {},
        "paymentMethod": "CARD" if charge.card else "ACCOUNT_TRANSFER",
        "currency": charge.currency,
        "settlementAmount": f"{paid - charge.fee:.2f}",
        "paymentStatus": words.get(charge.status, charge.status.upper()),
        "customer": {"name": charge.name, "email": charge.email},
    }
    if charge.card:
        shown["cardDetails"] = _card(charge)
    if is_deposit:
        source = {"amountPaid": paid, "accountName": "A SENDER", "sessionId": charge.session}
        shown["paymentSourceInformation"] = [{**source, "accountNumber": "0065432190"}]
        shown["destinationAccountInformation"] = {"accountNumber": charge.number, "bankCode": "035"}
    return shown


def _lagos(at: str) -> str:
    """An instant as Monnify writes it: Lagos's time, without a zone."""
    local = datetime.fromisoformat(at).astimezone(timezone(timedelta(hours=1)))
    return local.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _card(charge: Charge) -> dict[str, Any]:
    return {
        "cardType": CARDS[charge.card][0].partition(",")[0],
        "last4": charge.card[-4:],
        "expMonth": "12",
        "expYear": "30",
        "bin": charge.card[:6],
        "reusable": bool(charge.token),
        "cardToken": charge.token or None,
        "supportsTokenization": bool(charge.token),
        "maskedPan": f"{charge.card[:6]}******{charge.card[-4:]}",
    }


def verified(charge: Charge, account: Account | None = None) -> dict[str, Any]:
    """A transaction as reads show it: amounts are text, the day comes first."""
    shown = transaction(charge, account)
    paid, payable = shown["amountPaid"], shown["totalPayable"]
    return {**shown, "amountPaid": f"{paid:.2f}", "totalPayable": f"{payable:.2f}"}


def transfer_row(transfer: Transfer) -> dict[str, Any]:
    """A disbursement as its creation, summary and webhooks show it."""
    return {
        "amount": transfer.amount,
        "reference": transfer.reference,
        "narration": transfer.narration,
        "currency": transfer.currency,
        "status": _TRANSFER_WORDS.get(transfer.status, transfer.status.upper()),
        "dateCreated": transfer.at,
        "totalFee": transfer.fee,
        "sessionId": transfer.session,
        "transactionReference": f"MFDS|20260101000000|{transfer.id}",
        "transactionDescription": transfer.reason or "Approved or completed successfully",
        "destinationAccountNumber": transfer.to,
        "destinationAccountName": transfer.name,
        "destinationBankCode": transfer.bank,
        "destinationBankName": bank_name(transfer.bank),
        **({"comment": transfer.reason} if transfer.reason else {}),
    }


def refund_row(refund: Refund, charge: Charge) -> dict[str, Any]:
    """A refund as answers and webhooks show it."""
    is_whole = refund.amount == charge.paid
    return {
        "refundReference": refund.reference,
        "transactionReference": reference_of(charge),
        "refundReason": refund.note,
        "customerNote": refund.note[:16],
        "refundAmount": refund.amount,
        "refundType": "FULL_REFUND" if is_whole else "PARTIAL_REFUND",
        "refundStatus": _REFUND_WORDS.get(refund.status, refund.status.upper()),
        "refundStrategy": "MERCHANT_WALLET",
        "comment": refund.reason or None,
        "completedOn": refund.at if refund.status == "success" else None,
        "createdOn": refund.at,
    }


def event(simulator: Simulator, row: Row, merchant: Merchant) -> tuple[str, str, bytes] | None:
    """The webhook that reports a row; charges that failed send none."""
    words = {"success": "SUCCESSFUL", "failed": "FAILED", "reversed": "REVERSED"}
    match row:
        case Charge(status="success"):
            name, data = "SUCCESSFUL_TRANSACTION", transaction(row, account_of(simulator, row))
        case Transfer(status="success" | "failed" | "reversed"):
            name, data = f"{words[row.status]}_DISBURSEMENT", transfer_row(row)
        case Refund(status="success" | "failed"):
            charge = simulator.books.get(Charge, row.charge)
            if charge is None:
                return None
            name, data = f"{words[row.status]}_REFUND", refund_row(row, charge)
        case _:
            return None
    body = json.encode({"eventType": name, "eventData": data}).encode()
    return "monnify-signature", signed(merchant.merchant, body), body


def account_of(simulator: Simulator, charge: Charge) -> Account | None:
    """The account that a deposit came into."""
    if not charge.number:
        return None
    return simulator.books.one(Account, merchant=charge.merchant, number=charge.number)
