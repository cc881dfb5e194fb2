"""Paystack's money out, as the simulator does it: recipients, transfers, banks, the balance."""

import secrets
from typing import Any

from monigo.providers.simulator.books import Recipient, Transfer
from monigo.providers.simulator.engine import TRANSFER_FEE
from monigo.providers.simulator.paystack.shapes import (
    duplicate,
    error,
    fine,
    kobo,
    page_of,
    recipient_row,
    transfer_row,
    whose,
)
from monigo.providers.simulator.protocol import (
    BANKS,
    OTP,
    Ask,
    Reply,
    RouteOf,
    holder_of,
    number_of,
)

_BULK_MAX, _BULK_GAP_SECONDS = 100, 5
_TYPES = {"nuban", "ghipss", "mobile_money", "mobile_money_business", "kepss", "basa"}


async def _banks(ask: Ask) -> Reply:
    currency = ask.query.get("currency", "NGN")
    about = {"active": True, "is_deleted": False, "country": "Nigeria", "type": "nuban"}
    return fine("Banks retrieved", [{**one, **about, "currency": currency} for one in BANKS])


async def _resolve(ask: Ask) -> Reply:
    number, bank = ask.query.get("account_number", ""), ask.query.get("bank_code", "")
    name = None if ask.outcome == "failed" else holder_of(bank, number)
    if name is None:
        said = "Could not resolve account name. Check parameters or try again."
        return error(422, "invalid_params", said)
    return fine(
        "Account number resolved", {"account_number": number, "account_name": name, "bank_id": 9}
    )


def _recipient(ask: Ask, given: dict[str, Any]) -> Recipient | None:
    """The account, made known; the same one again is the one that is known."""
    names = {
        "bank": str(given.get("bank_code", "")),
        "number": str(given.get("account_number", "")),
    }
    if given.get("type") not in _TYPES or not all(names.values()) or not given.get("name"):
        return None
    books = ask.simulator.books
    known = books.one(Recipient, **whose(ask), **names)
    return known or books.keep(
        Recipient(
            id=books.new_id(),
            **whose(ask),
            **names,
            code=f"RCP_{secrets.token_hex(8)}",
            kind=str(given["type"]),
            name=str(given["name"]),
            currency=str(given.get("currency") or "NGN"),
        )
    )


async def _one_recipient(ask: Ask) -> Reply:
    made = None if ask.outcome == "failed" else _recipient(ask, ask.body)
    if made is None:
        return error(400, "invalid_params", "Account details are invalid")
    return fine("Transfer recipient created successfully", recipient_row(made), 201)


async def _recipients(ask: Ask) -> Reply:
    given = [one for one in ask.body.get("batch") or [] if isinstance(one, dict)]
    made = [(one, None if ask.outcome == "failed" else _recipient(ask, one)) for one in given]
    data = {
        "success": [recipient_row(one) for _, one in made if one],
        "errors": [
            {"message": "Account details are invalid", "payload": asked}
            for asked, one in made
            if one is None
        ],
    }
    return fine("Recipients added successfully", data)


def _new_transfer(ask: Ask, given: dict[str, Any]) -> Transfer | Reply:
    """A payout, or why there is none. The reference is not looked at."""
    books = ask.simulator.books
    recipient = books.one(Recipient, **whose(ask), code=str(given.get("recipient", "")))
    number = number_of(given.get("amount"))
    if recipient is None:
        return error(400, "invalid_transfer_recipient", "Recipient specified is invalid")
    if number is None:
        return error(400, "invalid_params", "Invalid amount")
    reference = str(given.get("reference") or secrets.token_hex(10))
    if not reference.replace("-", "").replace("_", "").isalnum() or reference.lower() != reference:
        return error(400, "invalid_params", "Transfer reference has illegal characters")
    amount = number / 100
    return Transfer(
        id=books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=reference,
        amount=amount / 2 if ask.outcome == "wrong_amount" else amount,
        currency=recipient.currency,
        status="pending",
        to=recipient.number,
        bank=recipient.bank,
        name=recipient.name,
        narration=str(given.get("reason", "")),
        recipient=recipient.code,
        code=f"TRF_{secrets.token_hex(8)}",
        fee=TRANSFER_FEE,
    )


async def _transfer(ask: Ask) -> Reply:
    transfer = _new_transfer(ask, ask.body)
    if isinstance(transfer, Reply):
        return transfer
    if ask.simulator.books.one(Transfer, **whose(ask), reference=transfer.reference):
        return duplicate("transfer")
    if not ask.simulator.reserve(transfer):
        said = "Your balance is not enough to fulfil this request"
        return error(400, "insufficient_balance", said)
    ask.simulator.books.keep(transfer)
    await ask.simulator.begin_transfer(transfer, ask.scripted)
    is_held = transfer.status == "otp"
    said = "Transfer requires OTP to continue" if is_held else "Transfer has been queued"
    return fine(said, transfer_row(transfer))


async def _bulk(ask: Ask) -> Reply:
    given = [one for one in ask.body.get("transfers") or [] if isinstance(one, dict)]
    books, now = ask.simulator.books, ask.simulator.now()
    if len(given) > _BULK_MAX:
        return error(400, "invalid_params", "Transfers can't be more than 100 in a batch")
    last = ask.simulator.last_bulk_at.get(ask.merchant.merchant)
    if last is not None and (now - last).total_seconds() < _BULK_GAP_SECONDS:
        return error(429, "rate_limited", "One batch each 5 seconds")
    ask.simulator.last_bulk_at[ask.merchant.merchant] = now
    known = {one.reference for one in books.all(Transfer, **whose(ask))}
    twice = [str(one.get("reference")) for one in given if one.get("reference") in known]
    if twice:
        return error(404, "unknown", f"Duplicate reference(s) found: {','.join(twice)}")
    made = [_new_transfer(ask, one) for one in given]
    refusal = next((one for one in made if isinstance(one, Reply)), None)
    if refusal:
        return refusal
    return await _send_all(ask, [one for one in made if isinstance(one, Transfer)])


async def _send_all(ask: Ask, transfers: list[Transfer]) -> Reply:
    """Send a batch; a row's failure is its own, and the first is the one that is scripted."""
    for place, transfer in enumerate(transfers):
        if not ask.simulator.reserve(transfer):
            transfer.status, transfer.reason = "failed", "Your balance is not enough"
            ask.simulator.books.keep(transfer)
            continue
        ask.simulator.books.keep(transfer)
        is_scripted = place == 0 or ask.outcome != "failed"
        await ask.simulator.begin_transfer(transfer, ask.scripted if is_scripted else None)
    rows = [
        {
            "reference": one.reference,
            "recipient": one.recipient,
            "amount": kobo(one.amount),
            "transfer_code": one.code,
            "currency": one.currency,
            "status": one.status,
        }
        for one in transfers
    ]
    return fine(f"{len(rows)} transfers queued.", rows)


async def _verify(ask: Ask) -> Reply:
    transfer = ask.simulator.books.one(Transfer, **whose(ask), reference=ask.path["reference"])
    if transfer is None:
        return error(404, "transfer_not_found", "Transfer not found")
    data = transfer_row(transfer)
    if ask.outcome in {"pending", "failed", "success"}:
        data["status"] = ask.outcome
    return fine("Transfer retrieved", data)


async def _transfers(ask: Ask) -> Reply:
    rows = [transfer_row(one) for one in ask.simulator.books.all(Transfer, **whose(ask))]
    return fine("Transfers retrieved", **page_of(ask, rows[::-1]))


async def _finalize(ask: Ask) -> Reply:
    code = ask.text("transfer_code")
    transfer = ask.simulator.books.one(Transfer, **whose(ask), code=code)
    if transfer is None:
        return error(400, "invalid_params", "Transfer code is invalid")
    if transfer.status != "otp":
        return error(400, "invalid_params", "Transfer is not currently awaiting OTP")
    if ask.verb == "resend_otp":
        return fine("OTP has been resent")
    if ask.text("otp") != OTP:
        return error(400, "invalid_params", "OTP is invalid")
    await ask.simulator.settle_transfer(transfer, "success")
    return fine("Transfer has been queued", transfer_row(transfer))


async def _balance(ask: Ask) -> Reply:
    held = {"NGN": None, **ask.merchant.balances}
    return fine(
        "Balances retrieved",
        [
            {"currency": code, "balance": kobo(ask.simulator.balance(ask.merchant, code))}
            for code in held
        ],
    )


ROUTES: tuple[RouteOf, ...] = (
    ("GET", "/bank", "banks", _banks),
    ("GET", "/bank/resolve", "resolve", _resolve),
    ("POST", "/transferrecipient", "recipients", _one_recipient),
    ("POST", "/transferrecipient/bulk", "recipients", _recipients),
    ("POST", "/transfer", "transfer", _transfer),
    ("POST", "/transfer/bulk", "bulk", _bulk),
    ("GET", "/transfer/verify/{reference}", "lookup", _verify),
    ("GET", "/transfer", "list_transfers", _transfers),
    ("POST", "/transfer/finalize_transfer", "authorize", _finalize),
    ("POST", "/transfer/resend_otp", "resend_otp", _finalize),
    ("GET", "/balance", "balance", _balance),
)
