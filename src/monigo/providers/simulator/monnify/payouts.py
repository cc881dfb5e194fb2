"""Monnify's money out, as the simulator does it: disbursements, banks, the wallet."""

from datetime import datetime, timedelta
from typing import Any

from monigo.providers.simulator.books import Transfer
from monigo.providers.simulator.engine import TRANSFER_FEE
from monigo.providers.simulator.monnify.shapes import (
    duplicate,
    error,
    fine,
    page_of,
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

# The same account and amount are refused so long, even under another reference.
_GUARD = timedelta(minutes=2)
_FIELDS = (
    "reference",
    "narration",
    "destinationBankCode",
    "destinationAccountNumber",
    "destinationAccountName",
    "currency",
)


def _new_transfer(ask: Ask, given: dict[str, Any]) -> Transfer | Reply:
    """A payout, or why there is none."""
    amount = number_of(given.get("amount"))
    missing = next((name for name in _FIELDS if not given.get(name)), None)
    if missing or amount is None:
        return error(400, "D01", f"{missing or 'amount'} is required")
    reference, number = str(given["reference"]), str(given["destinationAccountNumber"])
    books = ask.simulator.books
    if books.one(Transfer, **whose(ask), reference=reference):
        return duplicate("transfer")
    since = ask.simulator.now() - _GUARD
    like = books.all(Transfer, **whose(ask), to=number, amount=amount)
    if any(datetime.fromisoformat(one.at) > since for one in like):
        return error(200, "D07", "Duplicate transaction, please try again in 2 minutes")
    return Transfer(
        id=books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=reference,
        amount=amount / 2 if ask.outcome == "wrong_amount" else amount,
        currency=str(given["currency"]),
        status="pending",
        to=number,
        bank=str(given["destinationBankCode"]),
        name=str(given["destinationAccountName"]),
        narration=str(given["narration"]),
        fee=TRANSFER_FEE,
    )


async def _begin(ask: Ask, transfer: Transfer, *, is_scripted: bool) -> None:
    """Too little balance is a row that failed, in an envelope of success."""
    if not ask.simulator.reserve(transfer):
        transfer.status = "failed"
        transfer.reason = "You do not have sufficient balance to process the transfer"
        ask.simulator.books.keep(transfer)
        return
    ask.simulator.books.keep(transfer)
    await ask.simulator.begin_transfer(transfer, ask.scripted if is_scripted else None)


async def _single(ask: Ask) -> Reply:
    transfer = _new_transfer(ask, ask.body)
    if isinstance(transfer, Reply):
        return transfer
    await _begin(ask, transfer, is_scripted=True)
    return fine(transfer_row(transfer))


async def _batch(ask: Ask) -> Reply:
    given = [one for one in ask.body.get("transactionList") or [] if isinstance(one, dict)]
    batch, made = ask.text("batchReference"), [_new_transfer(ask, one) for one in given]
    if not made or not batch or ask.simulator.books.one(Transfer, **whose(ask), batch=batch):
        return duplicate("bulk")
    good = [one for one in made if isinstance(one, Transfer)]
    for place, transfer in enumerate(good):
        transfer.batch = batch
        await _begin(ask, transfer, is_scripted=place == 0 or ask.outcome != "failed")
    return fine(
        {
            "totalAmount": sum(one.amount for one in good),
            "totalFee": sum(one.fee for one in good),
            "batchReference": batch,
            "batchStatus": "AWAITING_PROCESSING",
            "totalTransactionsCount": len(given),
            "dateCreated": ask.simulator.now().isoformat(),
        }
    )


async def _summary(ask: Ask) -> Reply:
    wanted = ask.query.get("reference", "")
    transfer = ask.simulator.books.one(Transfer, **whose(ask), reference=wanted)
    if transfer is None:
        return error(404, "99", "Could not find disbursement with this reference: not found")
    data = transfer_row(transfer)
    words = {"pending": "PENDING", "failed": "FAILED", "success": "SUCCESS"}
    return fine({**data, "status": words.get(ask.outcome, data["status"])})


async def _validate_otp(ask: Ask) -> Reply:
    transfer = ask.simulator.books.one(Transfer, **whose(ask), reference=ask.text("reference"))
    if transfer is None or transfer.status != "otp":
        return error(400, "99", "Transaction is not awaiting authorization")
    if ask.verb == "resend_otp":
        return fine({"message": "Authorization code will be processed and sent"})
    if ask.text("authorizationCode") != OTP:
        return error(400, "99", "Invalid authorization code")
    await ask.simulator.settle_transfer(transfer, "success")
    return fine(transfer_row(transfer))


async def _search(ask: Ask) -> Reply:
    found = [transfer_row(one) for one in ask.simulator.books.all(Transfer, **whose(ask))]
    return fine(page_of(ask, found[::-1]))


async def _balance(ask: Ask) -> Reply:
    held = ask.simulator.balance(ask.merchant, "NGN")
    return fine({"availableBalance": held, "ledgerBalance": held})


async def _banks(ask: Ask) -> Reply:
    del ask
    return fine([{**one, "ussdTemplate": None, "baseUssdCode": None} for one in BANKS])


async def _resolve(ask: Ask) -> Reply:
    number, bank = ask.query.get("accountNumber", ""), ask.query.get("bankCode", "")
    name = None if ask.outcome == "failed" else holder_of(bank, number)
    if name is None:
        return error(404, "99", "Could not find account: invalid account")
    return fine({"accountNumber": number, "accountName": name, "bankCode": bank})


ROUTES: tuple[RouteOf, ...] = (
    ("POST", "/api/v2/disbursements/single", "transfer", _single),
    ("POST", "/api/v2/disbursements/batch", "bulk", _batch),
    ("GET", "/api/v2/disbursements/single/summary", "lookup", _summary),
    ("POST", "/api/v2/disbursements/single/validate-otp", "authorize", _validate_otp),
    ("POST", "/api/v2/disbursements/single/resend-otp", "resend_otp", _validate_otp),
    ("GET", "/api/v2/disbursements/search-transactions", "list_transfers", _search),
    ("GET", "/api/v2/disbursements/wallet-balance", "balance", _balance),
    ("GET", "/api/v1/banks", "banks", _banks),
    ("GET", "/api/v1/disbursements/account/validate", "resolve", _resolve),
)
