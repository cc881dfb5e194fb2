"""Flutterwave's money out, as the simulator does it: transfers, banks, the balance."""

from typing import Any

from monigo.providers.simulator.books import Transfer
from monigo.providers.simulator.engine import TRANSFER_FEE
from monigo.providers.simulator.flutterwave.shapes import (
    duplicate,
    error,
    fine,
    page_of,
    transfer_row,
    whose,
)
from monigo.providers.simulator.protocol import (
    BANKS,
    BLACKLISTED,
    Ask,
    Reply,
    RouteOf,
    holder_of,
    number_of,
)

# A reference with this fails, as in the real test mode.
_FAILS = "_PMCK_ST_F"


def _new_transfer(ask: Ask, given: dict[str, Any], bank: str) -> Transfer | Reply:
    """A payout, or why there is none; `bank` is what its field is called."""
    amount = number_of(given.get("amount"))
    for name in (bank, "account_number", "currency", "reference"):
        if not given.get(name):
            return error(400, "", f"{name} is required")
    if amount is None:
        return error(400, "", "amount must be a number")
    if given["account_number"] == BLACKLISTED:
        return error(400, "", "Payout was made to a blacklisted account number")
    return Transfer(
        id=ask.simulator.books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=str(given["reference"]),
        amount=amount / 2 if ask.outcome == "wrong_amount" else amount,
        currency=str(given["currency"]),
        status="pending",
        to=str(given["account_number"]),
        bank=str(given[bank]),
        name=str(given.get("beneficiary_name", "")),
        narration=str(given.get("narration", "")),
        fee=TRANSFER_FEE,
    )


async def _begin(ask: Ask, transfer: Transfer, *, is_scripted: bool) -> None:
    """Too little balance is no refusal here: the row fails."""
    books = ask.simulator.books
    if not ask.simulator.reserve(transfer):
        transfer.status = "failed"
        transfer.reason = "DISBURSE FAILED: Insufficient funds in customer wallet"
        books.keep(transfer)
        await ask.simulator.notify(transfer)
        return
    books.keep(transfer)
    if _FAILS in transfer.reference:
        await ask.simulator.settle_transfer(transfer, "failed", "DISBURSE FAILED")
        return
    await ask.simulator.begin_transfer(transfer, ask.scripted if is_scripted else None)


async def _transfer(ask: Ask) -> Reply:
    transfer = _new_transfer(ask, ask.body, "account_bank")
    if isinstance(transfer, Reply):
        return transfer
    if ask.simulator.books.one(Transfer, **whose(ask), reference=transfer.reference):
        return duplicate("transfer")
    await _begin(ask, transfer, is_scripted=True)
    return fine("Transfer Queued Successfully", transfer_row(transfer))


async def _bulk(ask: Ask) -> Reply:
    given = [one for one in ask.body.get("bulk_data") or [] if isinstance(one, dict)]
    books = ask.simulator.books
    known = {one.reference for one in books.all(Transfer, **whose(ask))}
    if not given or any(one.get("reference") in known for one in given):
        return duplicate("bulk")
    made = [_new_transfer(ask, one, "bank_code") for one in given]
    refusal = next((one for one in made if isinstance(one, Reply)), None)
    if refusal:
        return refusal
    batch = str(books.new_id())
    for place, transfer in enumerate(made):
        if isinstance(transfer, Transfer):
            transfer.batch = batch
            is_scripted = place == 0 or ask.outcome != "failed"
            await _begin(ask, transfer, is_scripted=is_scripted)
    now = ask.simulator.now().isoformat()
    return fine("Bulk transfer queued", {"id": int(batch), "created_at": now, "approver": "N/A"})


def _shown(ask: Ask, transfer: Transfer) -> dict[str, Any]:
    data = transfer_row(transfer)
    words = {"pending": "PENDING", "failed": "FAILED", "success": "SUCCESSFUL"}
    data["status"] = words.get(ask.outcome, data["status"])
    return data


async def _transfers(ask: Ask) -> Reply:
    names = {"reference": "reference", "batch_id": "batch"}
    wanted = {names[key]: value for key, value in ask.query.items() if key in names}
    found = [*ask.simulator.books.all(Transfer, **whose(ask), **wanted)]
    return fine("Transfers fetched", **page_of(ask, [_shown(ask, one) for one in found[::-1]]))


async def _one(ask: Ask) -> Reply:
    transfer = ask.simulator.books.get(Transfer, int(ask.path["id"]))
    if transfer is None or transfer.merchant != ask.merchant.merchant:
        return error(404, "", "Transfer not found")
    return fine("Transfer fetched", _shown(ask, transfer))


async def _banks(ask: Ask) -> Reply:
    del ask
    return fine("Banks fetched successfully", [{"id": n, **one} for n, one in enumerate(BANKS)])


async def _resolve(ask: Ask) -> Reply:
    number, bank = ask.text("account_number"), ask.text("account_bank")
    name = None if ask.outcome == "failed" else holder_of(bank, number)
    if name is None:
        said = "Sorry, recipient account could not be validated. Invalid account"
        return error(400, "", said)
    return fine("Account details fetched", {"account_number": number, "account_name": name})


async def _balances(ask: Ask) -> Reply:
    held = {"NGN": None, **ask.merchant.balances}
    rows = [
        {"currency": code, "available_balance": amount, "ledger_balance": amount}
        for code in held
        for amount in (ask.simulator.balance(ask.merchant, code),)
    ]
    return fine("Wallet balances fetched", rows)


ROUTES: tuple[RouteOf, ...] = (
    ("POST", "/transfers", "transfer", _transfer),
    # A look-up by reference is this list, filtered.
    ("GET", "/transfers", "lookup|list_transfers", _transfers),
    ("GET", "/transfers/{id:int}", "lookup", _one),
    ("POST", "/bulk-transfers", "bulk", _bulk),
    ("GET", "/banks/{country}", "banks", _banks),
    ("POST", "/accounts/resolve", "resolve", _resolve),
    ("GET", "/balances", "balance", _balances),
)
