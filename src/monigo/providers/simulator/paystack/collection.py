"""Paystack's money in, as the simulator does it: checkouts, pulls, refunds, accounts."""

import secrets
from decimal import Decimal

from monigo.providers.simulator.books import Account, Charge, Customer, Method, Refund
from monigo.providers.simulator.engine import SETTLE_MS
from monigo.providers.simulator.paystack.shapes import (
    account_row,
    duplicate,
    error,
    fine,
    named,
    page_of,
    refund_row,
    transaction,
    whose,
)
from monigo.providers.simulator.protocol import Ask, Reply, RouteOf


def _naira(ask: Ask) -> Decimal | None:
    """The amount of a body, which has no fractions of a subunit."""
    number = ask.number("amount")
    whole = number is not None and number == number.to_integral_value()
    return number / 100 if number is not None and whole else None


async def _initialize(ask: Ask) -> Reply:
    amount, email = _naira(ask), ask.text("email")
    if not email:
        return error(400, "missing_params", "Email Address is required")
    if amount is None:
        return error(400, "invalid_params", "Invalid Amount Sent")
    if ask.outcome == "failed":
        return error(400, "unknown", "This merchant is not enabled for payments")
    reference = ask.text("reference") or f"T{secrets.randbelow(10**15)}"
    if _charge_of(ask, reference):
        return duplicate("checkout")
    charge = _new_charge(ask, reference, amount, "open")
    charge.return_url, charge.scripted = ask.text("callback_url"), ask.outcome
    ask.simulator.books.keep(charge)
    url = f"{ask.simulator.url}/checkout/{charge.code}"
    data = {"authorization_url": url, "access_code": charge.code, "reference": reference}
    return fine("Authorization URL created", data)


def _customer_of(ask: Ask, email: str) -> Customer:
    books = ask.simulator.books
    known = books.one(Customer, **whose(ask), email=email)
    return known or books.keep(Customer(id=books.new_id(), **whose(ask), email=email))


def _owner(ask: Ask, charge: Charge) -> Customer | None:
    return ask.simulator.books.get(Customer, charge.customer)


def _new_charge(ask: Ask, reference: str, amount: Decimal, status: str) -> Charge:
    customer = _customer_of(ask, ask.text("email"))
    return Charge(
        id=ask.simulator.books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        reference=reference,
        amount=amount,
        currency=ask.text("currency") or "NGN",
        status=status,
        email=ask.text("email"),
        customer=customer.id,
        code=secrets.token_hex(8),
    )


def _charge_of(ask: Ask, reference: str) -> Charge | None:
    found = ask.simulator.books.all(Charge, **whose(ask))
    return next((one for one in found if reference in {one.reference, str(one.id)}), None)


async def _charge_card(ask: Ask) -> Reply:
    amount, reference = _naira(ask), ask.text("reference")
    method = ask.simulator.books.one(Method, **whose(ask), token=ask.text("authorization_code"))
    if amount is None or not ask.text("email"):
        return error(400, "invalid_params", "Invalid Amount Sent")
    if method is None or method.email != ask.text("email"):
        said = "Email does not match Authorization code. Authorization may be inactive"
        return error(400, "invalid_params", said)
    if _charge_of(ask, reference):
        return duplicate("charge")
    charge = _new_charge(ask, reference, amount, "pending")
    charge.token, charge.card = method.token, method.card
    ask.simulator.books.keep(charge)
    if ask.outcome == "needs_action":
        url = f"{ask.simulator.url}/checkout/{charge.code}"
        said = "Please, redirect your customer to the authorization url provided"
        data = {"authorization_url": url, "access_code": charge.code}
        return fine(said, {**data, "reference": reference, "paused": True})
    if ask.outcome == "pending":
        if ask.scripted and ask.scripted.delay_ms:
            ask.simulator.later(
                ask.scripted.delay_ms, lambda: ask.simulator.pay(charge, card=method.card)
            )
    else:
        charge.scripted = ask.outcome
        await ask.simulator.pay(charge, card=method.card)
    return fine("Charge attempted", transaction(charge, _owner(ask, charge)))


async def _verify(ask: Ask) -> Reply:
    charge = _charge_of(ask, ask.path["reference"])
    if charge is None:
        return error(400, "transaction_not_found", "Transaction reference not found.")
    data = transaction(charge, _owner(ask, charge))
    if ask.outcome in {"pending", "failed", "success"}:
        data["status"] = ask.outcome
    return fine("Verification successful", data)


async def _transactions(ask: Ask) -> Reply:
    rows = [*ask.simulator.books.all(Charge, **whose(ask))][::-1]
    if ask.query.get("customer"):
        rows = [one for one in rows if str(one.customer) == ask.query["customer"]]
    return fine(
        "Transactions retrieved",
        **page_of(ask, [transaction(one, _owner(ask, one)) for one in rows]),
    )


async def _refund(ask: Ask) -> Reply:
    charge, amount = _charge_of(ask, ask.text("transaction")), _naira(ask)
    if charge is None or charge.status != "success":
        return error(404, "transaction_not_found", "Transaction not found")
    amount = amount or charge.paid or charge.amount
    if ask.simulator.refunded(charge) + amount > (charge.paid or charge.amount):
        return error(400, "invalid_params", "Refund amount exceeds what can be refunded")
    refund = Refund(
        id=ask.simulator.books.new_id(),
        **whose(ask),
        at=ask.simulator.now().isoformat(),
        charge=charge.id,
        amount=amount / 2 if ask.outcome == "wrong_amount" else amount,
        currency=charge.currency,
        status="pending",
        note=ask.text("merchant_note"),
    )
    ask.simulator.books.keep(refund)
    if ask.outcome != "pending":
        status = "failed" if ask.outcome == "failed" else "success"
        ask.simulator.later(SETTLE_MS, lambda: ask.simulator.settle_refund(refund, status))
    shown = refund_row(refund, charge)
    return fine("Refund has been queued for processing", {**shown, "transaction": named(charge)})


async def _refunds(ask: Ask) -> Reply:
    books = ask.simulator.books
    wanted = ask.query.get("transaction") or ask.query.get("reference")
    rows = [
        refund_row(one, charge)
        for one in books.all(Refund, **whose(ask))
        if (charge := books.get(Charge, one.charge))
        and (not wanted or wanted in {str(charge.id), charge.reference})
    ]
    return fine("Refunds retrieved", **page_of(ask, rows[::-1]))


async def _one_refund(ask: Ask) -> Reply:
    refund = ask.simulator.books.get(Refund, int(ask.path["id"]))
    charge = refund and ask.simulator.books.get(Charge, refund.charge)
    if refund is None or charge is None or refund.merchant != ask.merchant.merchant:
        return error(404, "not_found", "Refund not found")
    return fine("Refund retrieved", refund_row(refund, charge))


async def _customer(ask: Ask) -> Reply:
    email = ask.text("email")
    if not email:
        return error(400, "missing_params", "Email is required")
    customer = _customer_of(ask, email)
    customer.name = f"{ask.text('first_name')} {ask.text('last_name')}".strip() or customer.name
    customer.phone = ask.text("phone") or customer.phone
    ask.simulator.books.keep(customer)
    code = f"CUS_{customer.id}"
    data = {"id": customer.id, "customer_code": code, "email": email, "phone": customer.phone}
    return fine("Customer created", data)


async def _dedicated(ask: Ask) -> Reply:
    books = ask.simulator.books
    wanted = ask.text("customer").removeprefix("CUS_")
    customer = books.get(Customer, int(wanted)) if wanted.isdecimal() else None
    if customer is None or customer.merchant != ask.merchant.merchant or ask.outcome == "failed":
        return error(400, "invalid_params", "Customer not found, or without a name and phone")
    known = books.one(Account, **whose(ask), customer=customer.id, is_active=True)
    row_id = books.new_id()
    account = known or books.keep(
        Account(
            id=row_id,
            **whose(ask),
            reference="",
            number=f"993{row_id % 10**7:07d}",
            name=f"MONIGO / {customer.name or customer.email}".upper(),
            bank="Wema Bank",
            currency="NGN",
            email=customer.email,
            customer=customer.id,
        )
    )
    return fine("NUBAN successfully created", account_row(account))


async def _one_dedicated(ask: Ask) -> Reply:
    account = ask.simulator.books.get(Account, int(ask.path["id"]))
    if account is None or account.merchant != ask.merchant.merchant:
        return error(404, "not_found", "Dedicated account not found")
    if ask.verb == "close_virtual_account":
        account.is_active = False
        ask.simulator.books.keep(account)
    return fine("Dedicated account retrieved", account_row(account))


async def _forget(ask: Ask) -> Reply:
    method = ask.simulator.books.one(Method, **whose(ask), token=ask.text("authorization_code"))
    if method is None:
        return error(400, "invalid_params", "Authorization code is invalid")
    method.email = ""
    ask.simulator.books.keep(method)
    return fine("Authorization has been deactivated")


ROUTES: tuple[RouteOf, ...] = (
    ("POST", "/transaction/initialize", "checkout", _initialize),
    ("POST", "/transaction/charge_authorization", "charge", _charge_card),
    ("GET", "/transaction/verify/{reference}", "lookup", _verify),
    ("GET", "/transaction", "list_charges|list_deposits", _transactions),
    ("POST", "/refund", "refund", _refund),
    ("GET", "/refund", "list_refunds", _refunds),
    ("GET", "/refund/{id:int}", "lookup", _one_refund),
    ("POST", "/customer", "customer", _customer),
    ("POST", "/customer/deactivate_authorization", "forget_method", _forget),
    ("POST", "/dedicated_account", "virtual_account", _dedicated),
    ("GET", "/dedicated_account/{id:int}", "lookup", _one_dedicated),
    ("DELETE", "/dedicated_account/{id:int}", "close_virtual_account", _one_dedicated),
)
