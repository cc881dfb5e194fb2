"""Flutterwave's money in, as the simulator does it: links, tokens, refunds, accounts."""

import secrets
from decimal import Decimal
from typing import Any

from monigo.providers.simulator.books import Account, Charge, Method, Refund
from monigo.providers.simulator.flutterwave.shapes import (
    error,
    fine,
    page_of,
    refund_row,
    transaction,
    whose,
)
from monigo.providers.simulator.protocol import Ask, Reply, RouteOf


async def _payments(ask: Ask) -> Reply:
    payer = ask.body.get("customer")
    email = str(payer.get("email", "")) if isinstance(payer, dict) else ""
    amount = ask.number("amount")
    for name, given in (("tx_ref", ask.text("tx_ref")), ("customer email", email)):
        if not given:
            return error(400, "", f"{name} is required")
    if amount is None or ask.outcome == "failed":
        return error(400, "", "amount is invalid")
    name = str(payer.get("name", "")) if isinstance(payer, dict) else ""
    charge = _new_charge(ask, ask.text("tx_ref"), amount, email)
    charge.name, charge.return_url = name, ask.text("redirect_url")
    charge.status, charge.scripted = "open", ask.outcome
    ask.simulator.books.keep(charge)
    return fine("Hosted Link", {"link": f"{ask.simulator.url}/checkout/{charge.code}"})


def _new_charge(ask: Ask, reference: str, amount: Decimal, email: str) -> Charge:
    return Charge(
        id=ask.simulator.books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=reference,
        amount=amount,
        currency=ask.text("currency") or "NGN",
        status="pending",
        email=email,
        code=secrets.token_hex(8),
    )


async def _disable(ask: Ask) -> Reply:
    code = ask.text("link").rpartition("/")[2]
    charge = ask.simulator.books.one(Charge, **whose(ask), code=code)
    if charge is None or charge.status not in {"open", "failed"}:
        return error(400, "", "Link not found")
    charge.code = ""
    ask.simulator.books.keep(charge)
    return fine("Link disabled")


async def _tokenized(ask: Ask) -> Reply:
    books, amount = ask.simulator.books, ask.number("amount")
    method = books.one(Method, **whose(ask), token=ask.text("token"))
    if amount is None or not ask.text("tx_ref"):
        return error(400, "", "tx_ref is required")
    if method is None or method.email != ask.text("email"):
        return error(400, "", "Wrong token or email passed: invalid token")
    charge = _new_charge(ask, ask.text("tx_ref"), amount, method.email)
    charge.token, charge.card = method.token, method.card
    books.keep(charge)
    if ask.outcome == "needs_action":
        link = f"{ask.simulator.url}/checkout/{charge.code}"
        meta = {"authorization": {"mode": "redirect", "redirect": link}}
        return fine("Charge authorization data required", transaction(charge), meta=meta)
    if ask.outcome == "pending":
        if ask.scripted and ask.scripted.delay_ms:
            ask.simulator.later(
                ask.scripted.delay_ms, lambda: ask.simulator.pay(charge, card=method.card)
            )
    else:
        charge.scripted = ask.outcome
        await ask.simulator.pay(charge, card=method.card)
    return fine("Charge successful", transaction(charge))


def _shown(ask: Ask, charge: Charge | None) -> Reply:
    """A transaction, if anybody paid it: a link that nobody paid has none."""
    if charge is None or charge.status == "open":
        return error(400, "", "No transaction was found for this id")
    data = transaction(charge)
    words = {"pending": "pending", "failed": "failed", "success": "successful"}
    data["status"] = words.get(ask.outcome, data["status"])
    return fine("Transaction fetched successfully", data)


async def _verify(ask: Ask) -> Reply:
    wanted = ask.path["id"]
    found = ask.simulator.books.get(Charge, int(wanted)) if wanted.isdecimal() else None
    is_own = found is not None and found.merchant == ask.merchant.merchant
    return _shown(ask, found if is_own else None)


async def _verify_by_reference(ask: Ask) -> Reply:
    wanted = ask.query.get("tx_ref", "")
    # The newest that was paid or tried: a reference may have several.
    found = [
        one
        for one in ask.simulator.books.all(Charge, **whose(ask), reference=wanted)
        if one.status != "open"
    ]
    return _shown(ask, found[-1] if found else None)


async def _transactions(ask: Ask) -> Reply:
    found = [one for one in ask.simulator.books.all(Charge, **whose(ask)) if one.status != "open"]
    if ask.query.get("tx_ref"):
        found = [one for one in found if one.reference == ask.query["tx_ref"]]
    return fine("Transactions fetched", **page_of(ask, [transaction(one) for one in found[::-1]]))


async def _refund(ask: Ask) -> Reply:
    books, wanted = ask.simulator.books, ask.path["id"]
    charge = books.get(Charge, int(wanted)) if wanted.isdecimal() else None
    if charge is None or charge.merchant != ask.merchant.merchant or charge.status != "success":
        return error(400, "", "No transaction was found for this id")
    paid = charge.paid or charge.amount
    amount = ask.number("amount") or paid
    if ask.simulator.refunded(charge) + amount > paid:
        return error(400, "", "Refund amount exceeds the limit of the transaction")
    refund = Refund(
        id=books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        charge=charge.id,
        amount=amount / 2 if ask.outcome == "wrong_amount" else amount,
        currency=charge.currency,
        status="pending",
        note=ask.text("comments"),
    )
    books.keep(refund)
    if ask.outcome != "pending":
        status = "failed" if ask.outcome == "failed" else "success"
        await ask.simulator.settle_refund(refund, status)
    return fine("Transaction refund initiated", refund_row(refund))


async def _refunds(ask: Ask) -> Reply:
    rows = [refund_row(one) for one in ask.simulator.books.all(Refund, **whose(ask))]
    return fine("Refunds fetched", **page_of(ask, rows[::-1]))


async def _one_refund(ask: Ask) -> Reply:
    refund = ask.simulator.books.get(Refund, int(ask.path["id"]))
    if refund is None or refund.merchant != ask.merchant.merchant:
        return error(404, "", "Refund not found")
    return fine("Refund fetched", refund_row(refund))


async def _virtual_account(ask: Ask) -> Reply:
    if not (ask.text("bvn") or ask.text("nin")):
        return error(400, "", "bvn is required for static account number")
    if not ask.text("email") or ask.outcome == "failed":
        return error(400, "", "email is required")
    books = ask.simulator.books
    row_id = books.new_id()
    account = Account(
        id=row_id,
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=ask.text("tx_ref"),
        number=f"785{row_id % 10**7:07d}",
        name=ask.text("narration"),
        bank="WEMA BANK",
        currency=ask.text("currency") or "NGN",
        email=ask.text("email"),
    )
    return fine("Virtual account created", _account_row(books.keep(account)))


def _account_row(account: Account) -> dict[str, Any]:
    return {
        "response_code": "02",
        "response_message": "Transaction in progress",
        "flw_ref": f"FLW-{account.id}",
        "order_ref": f"URF_{account.id}",
        "account_number": account.number,
        "account_status": "active" if account.is_active else "inactive",
        "frequency": "N/A",
        "bank_name": account.bank,
        "created_at": account.at,
        "expiry_date": "N/A",
        "note": f"Please make a bank transfer to {account.name}",
        "amount": "0.00",
    }


async def _one_account(ask: Ask) -> Reply:
    wanted = ask.path["order_ref"].removeprefix("URF_")
    account = ask.simulator.books.get(Account, int(wanted)) if wanted.isdecimal() else None
    if account is None or account.merchant != ask.merchant.merchant:
        return error(404, "", "Virtual account not found")
    if ask.text("status") == "inactive":
        account.is_active = False
        ask.simulator.books.keep(account)
    return fine("Virtual account fetched", _account_row(account))


ROUTES: tuple[RouteOf, ...] = (
    ("POST", "/payments", "checkout", _payments),
    ("POST", "/payments/link/disable", "disable_checkout", _disable),
    ("POST", "/tokenized-charges", "charge", _tokenized),
    ("GET", "/transactions/verify_by_reference", "lookup", _verify_by_reference),
    ("GET", "/transactions/{id}/verify", "lookup", _verify),
    ("GET", "/transactions", "list_charges|list_deposits", _transactions),
    ("POST", "/transactions/{id}/refund", "refund", _refund),
    ("GET", "/refunds", "list_refunds", _refunds),
    ("GET", "/refunds/{id:int}", "lookup", _one_refund),
    ("POST", "/virtual-account-numbers", "virtual_account", _virtual_account),
    ("GET", "/virtual-account-numbers/{order_ref}", "lookup", _one_account),
    ("POST", "/virtual-account-numbers/{order_ref}", "close_virtual_account", _one_account),
)
