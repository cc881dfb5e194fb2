"""Paystack's shapes: envelopes, rows and events, as the simulator writes them."""

from decimal import Decimal
from typing import Any

from starlette.requests import Request

from monigo.infra import json
from monigo.providers.simulator.books import (
    Account,
    Charge,
    Customer,
    Merchant,
    Recipient,
    Refund,
    Row,
    Transfer,
)
from monigo.providers.simulator.engine import CARDS, Simulator
from monigo.providers.simulator.protocol import Ask, Reply, Shapes, bank_name, bearer, signed

NAME = "paystack"


def fine(message: str, data: Any = None, status: int = 200, **more: Any) -> Reply:
    """The envelope of what went well."""
    return Reply(status, {"status": True, "message": message, "data": data, **more})


def error(status: int, code: str, message: str) -> Reply:
    """The envelope of what was refused."""
    kind = "api_error" if code in {"unknown", "not_found"} else "validation_error"
    meta = {"nextStep": "Ensure that you provide the correct parameters"}
    return Reply(
        status, {"status": False, "message": message, "meta": meta, "type": kind, "code": code}
    )


def duplicate(verb: str) -> Reply:
    """The refusal of a reference that was used."""
    if verb == "transfer":
        said = "Please provide a unique reference. Reference already exists on a transfer"
        return error(400, "duplicate_transfer_reference", said)
    return error(400, "duplicate_reference", "Duplicate Transaction Reference")


def _merchant(simulator: Simulator, request: Request) -> Merchant | None:
    key = bearer(request)
    return simulator.merchant(NAME, key) if key.startswith("sk_test_") else None


SHAPES = Shapes(
    NAME,
    error,
    duplicate,
    _merchant,
    Reply(401, {"status": False, "message": "Invalid key", "code": "invalid_Key"}),
)


def kobo(amount: Decimal | None) -> int | None:
    """An amount in subunits."""
    return None if amount is None else int(amount * 100)


def whose(ask: Ask) -> dict[str, Any]:
    """By what a merchant's rows are found."""
    return {"provider": NAME, "merchant": ask.merchant.merchant}


def page_of(ask: Ask, rows: list[Any]) -> dict[str, Any]:
    """The part of a list that is asked for, and what is said of the whole."""
    size = max(1, ask.count("perPage", usual=50, most=100))
    page = max(1, ask.count("page", usual=1))
    pages = max(1, -(-len(rows) // size))
    meta = {"total": len(rows), "perPage": size, "page": page, "pageCount": pages}
    return {"data": rows[(page - 1) * size : page * size], "meta": meta}


def named(charge: Charge) -> dict[str, Any]:
    """What a refund shows of its charge."""
    return {"id": charge.id, "reference": charge.reference, "currency": charge.currency}


def refund_row(refund: Refund, charge: Charge) -> dict[str, Any]:
    """A refund as answers and lists show it."""
    words = {"success": "processed"}
    return {
        "id": refund.id,
        "integration": 100043,
        "domain": "test",
        "transaction": charge.id,
        "amount": kobo(refund.amount),
        "currency": refund.currency,
        "status": words.get(refund.status, refund.status),
        "merchant_note": refund.note,
        "customer_note": "",
        "createdAt": refund.at,
    }


def recipient_row(one: Recipient) -> dict[str, Any]:
    """An account that was made known."""
    details = {
        "account_number": one.number,
        "account_name": None,
        "bank_code": one.bank,
        "bank_name": bank_name(one.bank),
        "authorization_code": None,
    }
    return {
        "recipient_code": one.code,
        "id": one.id,
        "type": one.kind,
        "name": one.name,
        "active": True,
        "currency": one.currency,
        "details": details,
    }


def transaction(charge: Charge, customer: Customer | None) -> dict[str, Any]:
    """A transaction as verify, charges and webhooks show it."""
    is_deposit = charge.channel == "deposit"
    is_paid = charge.status in {"success", "reversed"}
    # Of a checkout that nobody paid.
    status = "abandoned" if charge.status == "open" else charge.status
    return {
        "id": charge.id,
        "domain": "test",
        "status": status,
        "reference": charge.reference,
        "receipt_number": None,
        "amount": kobo(charge.paid or charge.amount),
        "message": None,
        "gateway_response": charge.reason or "The transaction was not completed",
        "paid_at": charge.at if is_paid else None,
        "created_at": charge.at,
        "channel": "dedicated_nuban" if is_deposit else charge.channel,
        "currency": charge.currency,
        "metadata": "",
        "log": None,
        "fees": kobo(charge.fee) if is_paid else None,
        "authorization": (_deposited(charge) if is_deposit else _card(charge)) if is_paid else {},
        "customer": {
            "id": charge.customer,
            "email": charge.email,
            "customer_code": f"CUS_{charge.customer}",
            "phone": customer.phone if customer else None,
        },
        "plan": None,
        "requested_amount": kobo(charge.amount),
    }


def _card(charge: Charge) -> dict[str, Any]:
    if not charge.card:
        return {}
    return {
        "authorization_code": charge.token or f"AUTH_{charge.id}",
        "bin": charge.card[:6],
        "last4": charge.card[-4:],
        "exp_month": "12",
        "exp_year": "2030",
        "channel": "card",
        "card_type": "visa ",
        "bank": "TEST BANK",
        "country_code": "NG",
        "brand": CARDS[charge.card][0].partition(",")[0].lower(),
        "reusable": bool(charge.token),
        "signature": f"SIG_{charge.card[-8:]}",
        "account_name": None,
    }


def _deposited(charge: Charge) -> dict[str, Any]:
    return {
        "authorization_code": f"AUTH_{charge.id}",
        "channel": "dedicated_nuban",
        "card_type": "transfer",
        "brand": "Managed Account",
        "reusable": False,
        "signature": None,
        "sender_bank": "First City Monument Bank",
        "sender_name": "A SENDER",
        "narration": f"NIP: {charge.session}",
        "receiver_bank_account_number": charge.number,
        "receiver_bank": "Wema Bank",
    }


def transfer_row(transfer: Transfer) -> dict[str, Any]:
    """A transfer as its creation, verify and webhooks show it."""
    return {
        "id": transfer.id,
        "domain": "test",
        "amount": kobo(transfer.amount),
        "currency": transfer.currency,
        "reference": transfer.reference,
        "source": "balance",
        "reason": transfer.narration,
        "status": transfer.status,
        "failures": None,
        "gateway_response": transfer.reason or None,
        "transfer_code": transfer.code,
        "transferred_at": transfer.at if transfer.status == "success" else None,
        "fee_charged": kobo(transfer.fee),
        "session": {
            "provider": "nip" if transfer.session else None,
            "id": transfer.session or None,
        },
        "recipient": {"name": transfer.name, "recipient_code": transfer.recipient},
        "createdAt": transfer.at,
        "updatedAt": transfer.at,
    }


def account_row(account: Account) -> dict[str, Any]:
    """A dedicated account."""
    return {
        "bank": {"name": account.bank, "id": 20, "slug": "wema-bank"},
        "account_name": account.name,
        "account_number": account.number,
        "assigned": True,
        "currency": account.currency,
        "active": account.is_active,
        "id": account.id,
        "customer": {"id": account.customer, "email": account.email},
        "split_config": None,
    }


def event(simulator: Simulator, row: Row, merchant: Merchant) -> tuple[str, str, bytes] | None:
    """The webhook that reports a row; charges that failed send none."""
    match row:
        case Charge(status="success"):
            customer = simulator.books.get(Customer, row.customer)
            content = {"event": "charge.success", "data": transaction(row, customer)}
        case Transfer(status="success" | "failed" | "reversed"):
            content = {"event": f"transfer.{row.status}", "data": transfer_row(row)}
        case Refund(status="success" | "failed"):
            word = "processed" if row.status == "success" else "failed"
            content = {"event": f"refund.{word}", "data": _refund_event(simulator, row, word)}
        case _:
            return None
    body = json.encode(content).encode()
    return "x-paystack-signature", signed(merchant.merchant, body), body


def _refund_event(simulator: Simulator, refund: Refund, word: str) -> dict[str, Any]:
    charge = simulator.books.get(Charge, refund.charge)
    return {
        "status": word,
        "transaction_reference": charge.reference if charge else None,
        "refund_reference": str(refund.id),
        # As text, which is one of the ways that it comes.
        "amount": str(kobo(refund.amount)),
        "currency": refund.currency,
        "processor": "instant-transfer",
        "integration": 100043,
        "domain": "test",
    }
