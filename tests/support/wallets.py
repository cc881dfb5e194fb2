"""What stories of wallets and credits do and look at, through the API."""

import itertools

from monigo import invoicing, metering
from support.agenda import do
from support.api import event

_keys = itertools.count(1)


def grant(api, wallet, amount, **fields):
    """Give a wallet credit."""
    body = {
        "amount": amount,
        "currency": wallet["currency"],
        "idempotency_key": f"grant-{next(_keys)}",
        **fields,
    }
    return api.make(f"/v1/wallets/{wallet['id']}/credits", body, "credit")


def left(api, wallet):
    """What is left of each grant, oldest first."""
    listed = api.get(f"/v1/wallets/{wallet['id']}/credits").json()["credits"]
    return [one["remaining"].removesuffix(".000000") for one in reversed(listed)]


def balance(api, wallet):
    """The wallet's money, without zeros behind the point."""
    told = api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]
    return told.removesuffix(".000000")


def withdrawal(api, wallet, amount="1"):
    """The status of an attempt to take money out."""
    return api.move(wallet, "debit", amount, "withdrawal").status_code


def plan_of(api, billing_mode, *names, **fields):
    """A plan at 1 a unit of each of these metrics, which sum up `n`; and their ids."""
    metrics = [api.metric(name, aggregation="sum", aggregation_property="n") for name in names]
    prices = [
        {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"} for metric in metrics
    ]
    plan = api.plan(*prices, billing_mode=billing_mode, **fields)
    return plan["id"], *(metric["id"] for metric in metrics)


def use(api, name, amount, customer="c1", **fields):
    """Ingest usage."""
    api.ingest(event(f"use-{next(_keys)}", customer, name, properties={"n": amount}, **fields))


def charge(api):
    """What the workers do for running realtime periods every few seconds."""
    database = api.backend.services.database
    api.backend.run(metering.fold_all(database))
    do(api, invoicing.CHARGE)


def work(api):
    """What the workers do in the next seconds: fold, wake, close, charge."""
    database = api.backend.services.database
    api.backend.run(metering.fold_all(database))
    do(api, invoicing.WAKE, invoicing.CLOSE)
    charge(api)


def cancel(api, subscription):
    """End a subscription now."""
    answer = api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    assert answer.status_code == 200, answer.text


def invoices(api):
    """All invoices, oldest period first."""
    listed = api.get("/v1/invoices").json()["invoices"]
    return sorted(listed, key=lambda one: (one["period_start"], one["created_at"], one["number"]))


def amounts(invoice):
    """An invoice's status, total, and what was paid and is due of it."""
    told = (invoice[name] for name in ("total", "amount_paid", "amount_due"))
    return invoice["status"], *(amount.removesuffix(".000000") for amount in told)
