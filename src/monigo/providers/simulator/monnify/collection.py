"""Monnify's money in, as the simulator does it: log-ins, links, tokens, refunds, accounts."""

import secrets
from decimal import Decimal
from typing import Any

from monigo.providers.simulator.books import Account, Charge, Method, Refund
from monigo.providers.simulator.engine import SETTLE_MS
from monigo.providers.simulator.monnify.shapes import (
    LOGIN_PATH,
    account_of,
    duplicate,
    error,
    fine,
    page_of,
    reference_of,
    refund_row,
    transaction,
    verified,
    whose,
)
from monigo.providers.simulator.protocol import Ask, Reply, RouteOf

_REFUND_MIN = Decimal(100)
_TOKEN_SECONDS = 3567
_RESERVED = "/bank-transfer/reserved-accounts"


async def _login(ask: Ask) -> Reply:
    token = secrets.token_hex(16)
    ask.simulator.tokens[token] = ask.merchant.merchant
    return fine({"accessToken": token, "expiresIn": _TOKEN_SECONDS})


async def _initiate(ask: Ask) -> Reply:
    amount, reference = ask.number("amount"), ask.text("paymentReference")
    if amount is None or not ask.text("customerEmail") or not ask.text("contractCode"):
        return error(400, "99", "contractCode, customerEmail and amount are required")
    if ask.outcome == "failed":
        return error(400, "99", "Payment method is not enabled for contract")
    if _charge_of(ask, reference):
        return duplicate("checkout")
    charge = _new_charge(ask, reference, amount, "open")
    charge.return_url, charge.scripted = ask.text("redirectUrl"), ask.outcome
    ask.simulator.books.keep(charge)
    return fine(
        {
            "transactionReference": reference_of(charge),
            "paymentReference": reference,
            "merchantName": "Test Limited",
            "apiKey": ask.merchant.public_key,
            "enabledPaymentMethod": ["ACCOUNT_TRANSFER", "CARD"],
            "checkoutUrl": f"{ask.simulator.url}/checkout/{charge.code}",
        }
    )


def _new_charge(ask: Ask, reference: str, amount: Decimal, status: str) -> Charge:
    return Charge(
        id=ask.simulator.books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=reference,
        amount=amount,
        currency="NGN",
        status=status,
        email=ask.text("customerEmail"),
        name=ask.text("customerName"),
        code=secrets.token_hex(8),
    )


def _charge_of(ask: Ask, reference: str) -> Charge | None:
    return ask.simulator.books.one(Charge, **whose(ask), reference=reference)


def _by_own(ask: Ask, reference: str) -> Charge | None:
    """A transaction by Monnify's reference."""
    number = reference.rpartition("|")[2]
    found = ask.simulator.books.get(Charge, int(number)) if number.isdecimal() else None
    return found if found is not None and found.merchant == ask.merchant.merchant else None


async def _charge_token(ask: Ask) -> Reply:
    books, amount = ask.simulator.books, ask.number("amount")
    method = books.one(Method, **whose(ask), token=ask.text("cardToken"))
    if amount is None or method is None or method.email != ask.text("customerEmail"):
        return error(400, "99", "Invalid card token")
    if _charge_of(ask, ask.text("paymentReference")):
        return duplicate("charge")
    charge = _new_charge(ask, ask.text("paymentReference"), amount, "pending")
    charge.token, charge.card = method.token, method.card
    books.keep(charge)
    if ask.outcome not in {"pending", "needs_action"}:
        charge.scripted = ask.outcome
        await ask.simulator.pay(charge, card=method.card)
    elif ask.scripted and ask.scripted.delay_ms:
        ask.simulator.later(
            ask.scripted.delay_ms, lambda: ask.simulator.pay(charge, card=method.card)
        )
    return fine(transaction(charge))


def _shown(ask: Ask, charge: Charge | None) -> Reply:
    if charge is None:
        return error(404, "99", "There's no transaction matching supplied reference: not found")
    data = verified(charge, account_of(ask.simulator, charge))
    words = {"pending": "PENDING", "failed": "FAILED", "success": "PAID"}
    data["paymentStatus"] = words.get(ask.outcome, data["paymentStatus"])
    return fine(data)


async def _query(ask: Ask) -> Reply:
    return _shown(ask, _charge_of(ask, ask.query.get("paymentReference", "")))


async def _one(ask: Ask) -> Reply:
    return _shown(ask, _by_own(ask, ask.path["reference"]))


async def _search(ask: Ask) -> Reply:
    found = [*ask.simulator.books.all(Charge, **whose(ask))][::-1]
    return fine(page_of(ask, [verified(one, account_of(ask.simulator, one)) for one in found]))


async def _refund(ask: Ask) -> Reply:
    books, amount = ask.simulator.books, ask.number("refundAmount")
    charge, reference = _by_own(ask, ask.text("transactionReference")), ask.text("refundReference")
    if charge is None or charge.status != "success":
        return error(400, "R1", "Transaction not found")
    if books.one(Refund, **whose(ask), reference=reference):
        return duplicate("refund")
    if amount is None or amount < _REFUND_MIN:
        return error(400, "R4", "Refund amount is below the minimum")
    if ask.simulator.refunded(charge) + amount > (charge.paid or charge.amount):
        return error(400, "R12", "Total refund amount exceeds the transaction's")
    refund = Refund(
        id=books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        charge=charge.id,
        amount=amount / 2 if ask.outcome == "wrong_amount" else amount,
        currency=charge.currency,
        status="pending",
        reference=reference,
        note=ask.text("refundReason"),
    )
    books.keep(refund)
    if ask.outcome == "failed":
        await ask.simulator.settle_refund(refund, "failed", "Bank declined the refund")
    elif ask.outcome != "pending":
        ask.simulator.later(SETTLE_MS, lambda: ask.simulator.settle_refund(refund, "success"))
    return fine(refund_row(refund, charge))


async def _one_refund(ask: Ask) -> Reply:
    refund = ask.simulator.books.one(Refund, **whose(ask), reference=ask.path["reference"])
    charge = refund and ask.simulator.books.get(Charge, refund.charge)
    if refund is None or charge is None:
        return error(404, "99", "Refund not found")
    data = refund_row(refund, charge)
    words = {"pending": "PENDING", "failed": "FAILED", "success": "COMPLETED"}
    return fine({**data, "refundStatus": words.get(ask.outcome, data["refundStatus"])})


async def _reserve(ask: Ask) -> Reply:
    books, reference = ask.simulator.books, ask.text("accountReference")
    if not (ask.text("bvn") or ask.text("nin")):
        return error(400, "D01", "BVN or NIN is required")
    if ask.outcome == "failed":
        return error(400, "99", "BVN is invalid")
    if books.one(Account, **whose(ask), reference=reference):
        return error(422, "99", "Account with this reference already exists")
    row_id = books.new_id()
    account = Account(
        id=row_id,
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=reference,
        number=f"600{row_id % 10**7:07d}",
        name=ask.text("accountName"),
        bank="Wema bank",
        currency=ask.text("currencyCode") or "NGN",
        email=ask.text("customerEmail"),
    )
    return fine(_account_row(books.keep(account)))


def _account_row(account: Account) -> dict[str, Any]:
    bank = {"bankCode": "035", "bankName": account.bank}
    return {
        "accountReference": account.reference,
        "accountName": account.name,
        "currencyCode": account.currency,
        "customerEmail": account.email,
        "accounts": [{**bank, "accountNumber": account.number, "accountName": account.name}],
        "collectionChannel": "RESERVED_ACCOUNT",
        "reservationReference": f"RSV{account.id}",
        "reservedAccountType": "GENERAL",
        "status": "ACTIVE" if account.is_active else "INACTIVE",
        "createdOn": account.at,
    }


async def _one_account(ask: Ask) -> Reply:
    account = ask.simulator.books.one(Account, **whose(ask), reference=ask.path["reference"])
    if account is None:
        return error(404, "99", "Reserved account not found")
    if ask.verb == "close_virtual_account":
        account.is_active = False
        ask.simulator.books.keep(account)
    return fine(_account_row(account))


async def _deposits(ask: Ask) -> Reply:
    wanted = ask.query.get("accountReference", "")
    account = ask.simulator.books.one(Account, **whose(ask), reference=wanted)
    if account is None:
        return error(404, "99", "Reserved account not found")
    found = ask.simulator.books.all(Charge, **whose(ask), number=account.number)
    return fine(page_of(ask, [verified(one, account) for one in found][::-1]))


ROUTES: tuple[RouteOf, ...] = (
    ("POST", LOGIN_PATH, "login", _login),
    ("POST", "/api/v1/merchant/transactions/init-transaction", "checkout", _initiate),
    ("POST", "/api/v1/merchant/cards/charge-card-token", "charge", _charge_token),
    ("GET", "/api/v2/merchant/transactions/query", "lookup", _query),
    ("GET", "/api/v2/transactions/{reference}", "lookup", _one),
    ("GET", "/api/v1/transactions/search", "list_charges", _search),
    ("POST", "/api/v1/refunds/initiate-refund", "refund", _refund),
    ("GET", "/api/v1/refunds/{reference}", "lookup", _one_refund),
    ("POST", f"/api/v2{_RESERVED}", "virtual_account", _reserve),
    ("GET", f"/api/v1{_RESERVED}/transactions", "list_deposits", _deposits),
    ("GET", f"/api/v2{_RESERVED}/{{reference}}", "lookup", _one_account),
    (
        "DELETE",
        f"/api/v1{_RESERVED}/reference/{{reference}}",
        "close_virtual_account",
        _one_account,
    ),
)
