"""Flutterwave's shapes: envelopes, rows and events, as the simulator writes them."""

from typing import Any

from starlette.requests import Request

from monigo.infra import json
from monigo.providers.simulator.books import Charge, Merchant, Refund, Row, Transfer
from monigo.providers.simulator.engine import CARDS, Simulator
from monigo.providers.simulator.protocol import Ask, Reply, Shapes, bank_name, bearer

NAME = "flutterwave"
_CHARGE_WORDS = {"success": "successful", "reversed": "successful", "open": "pending"}
# No status shows a reversal: the money is a new credit in the balance's history.
_TRANSFER_WORDS = {"success": "SUCCESSFUL", "reversed": "SUCCESSFUL", "pending": "NEW"}


def fine(message: str, data: Any = None, **more: Any) -> Reply:
    """The envelope of what went well."""
    return Reply(200, {"status": "success", "message": message, "data": data, **more})


def error(status: int, code: str, message: str) -> Reply:
    """The envelope of what was refused: there are no codes."""
    del code
    return Reply(status, {"status": "error", "message": message, "data": None})


def duplicate(verb: str) -> Reply:
    """The refusal of a reference that was used."""
    what = "Transfer" if verb in {"transfer", "bulk"} else "Transaction"
    return error(400, "", f"{what} with reference already exists")


def _merchant(simulator: Simulator, request: Request) -> Merchant | None:
    key = bearer(request)
    return simulator.merchant(NAME, key) if key.startswith("FLWSECK_TEST-") else None


SHAPES = Shapes(NAME, error, duplicate, _merchant, error(401, "", "Invalid authorization key"))


def whose(ask: Ask) -> dict[str, Any]:
    """By what a merchant's rows are found."""
    return {"provider": NAME, "merchant": ask.merchant.merchant}


def page_of(ask: Ask, rows: list[Any]) -> dict[str, Any]:
    """The part of a list that is asked for, ten rows, and what is said of the whole."""
    page = max(1, ask.count("page", usual=1))
    pages = max(1, -(-len(rows) // 10))
    info = {"total": len(rows), "current_page": page, "total_pages": pages}
    return {"data": rows[(page - 1) * 10 : page * 10], "meta": {"page_info": info}}


def transaction(charge: Charge) -> dict[str, Any]:
    """A transaction as verify, charges and webhooks show it."""
    paid = charge.paid or charge.amount
    is_transfer = charge.channel in {"deposit", "bank_transfer"}
    shown: dict[str, Any] = {
        "id": charge.id,
        "tx_ref": charge.reference,
        "flw_ref": f"FLW-MOCK-{charge.id}",
        "device_fingerprint": "N/A",
        "amount": paid,
        "currency": charge.currency,
        "charged_amount": paid,
        "app_fee": charge.fee,
        "merchant_fee": 0,
        "processor_response": charge.reason or "Pending",
        "auth_model": "PIN",
        "ip": "::1",
        "narration": "Monigo",
        "status": _CHARGE_WORDS.get(charge.status, charge.status),
        "payment_type": "bank_transfer" if is_transfer else "card",
        "created_at": charge.at,
        "account_id": 17321,
        "meta": None,
        "amount_settled": paid - charge.fee,
        "customer": {"id": charge.customer, "name": charge.name, "email": charge.email},
    }
    if charge.card and not is_transfer:
        shown["card"] = {
            "first_6digits": charge.card[:6],
            "last_4digits": charge.card[-4:],
            "issuer": "TEST BANK",
            "country": "NG",
            "type": CARDS[charge.card][0].partition(",")[0].upper(),
            "expiry": "12/30",
            **({"token": charge.token} if charge.token else {}),
        }
    return shown


def transfer_row(transfer: Transfer, *, name: str = "full_name") -> dict[str, Any]:
    """A transfer; webhooks spell the field of the payee's name otherwise."""
    return {
        "id": transfer.id,
        "account_number": transfer.to,
        "bank_code": transfer.bank,
        name: transfer.name,
        "created_at": transfer.at,
        "currency": transfer.currency,
        "debit_currency": transfer.currency,
        "amount": transfer.amount,
        "fee": transfer.fee,
        "status": _TRANSFER_WORDS.get(transfer.status, "FAILED"),
        "reference": transfer.reference,
        "meta": None,
        "narration": transfer.narration,
        "complete_message": transfer.reason
        or ("" if transfer.status == "pending" else "Successful"),
        "requires_approval": int(transfer.status == "otp"),
        "is_approved": int(transfer.status != "otp"),
        "bank_name": bank_name(transfer.bank),
    }


def refund_row(refund: Refund) -> dict[str, Any]:
    """A refund, whose currency is nowhere in it."""
    words = {"success": "completed"}
    return {
        "id": refund.id,
        "account_id": 17321,
        "tx_id": refund.charge,
        "flw_ref": f"FLW-MOCK-{refund.charge}",
        "wallet_id": 1,
        "amount_refunded": refund.amount,
        "status": words.get(refund.status, refund.status),
        "destination": "payment_source",
        "comments": refund.note,
        "meta": None,
        "created_at": refund.at,
    }


def event(simulator: Simulator, row: Row, merchant: Merchant) -> tuple[str, str, bytes] | None:
    """The webhook that reports a row, with the hash that the merchant chose."""
    del simulator
    match row:
        case Charge(status="success" | "failed"):
            content = {"event": "charge.completed", "data": transaction(row)}
            is_transfer = row.channel in {"deposit", "bank_transfer"}
            kind = "BANK_TRANSFER_TRANSACTION" if is_transfer else "CARD_TRANSACTION"
            if is_transfer:
                content["meta_data"] = {"originatorname": "A SENDER", "bankname": "Access Bank"}
        case Transfer(status="success" | "failed"):
            data = transfer_row(row, name="fullname")
            content, kind = {"event": "transfer.completed", "data": data}, "Transfer"
        case _:
            return None
    body = json.encode({**content, "event.type": kind}).encode()
    return "verif-hash", merchant.webhook_secret, body
