"""Months of customers who pay from their wallets, told through the API and a test clock."""

import pytest

from monigo import invoicing, metering
from support.agenda import do
from support.api import event
from support.verification import faults

START = "2027-01-31T10:00:00Z"
FEBRUARY_END = "2027-02-28T10:00:00Z"
MARCH_END = "2027-03-31T10:00:00Z"
APRIL_END = "2027-04-30T10:00:00Z"

TIERS = [
    {"up_to": 10, "unit_amount": "10"},
    {"up_to": 20, "unit_amount": "5"},
    {"up_to": None, "unit_amount": "1"},
]


@pytest.fixture
def clock(api):
    """Sends the organisation's test clock to an instant."""

    def advance(to):
        answer = api.post("/v1/test-clock/advance", json={"to": to}, timeout=60)
        assert (answer.status_code, answer.json()["status"]) == (200, "ready"), answer.text

    return advance


@pytest.fixture
def wallet(api, clock):
    """A customer's empty wallet, on 31 January."""
    clock(START)
    api.customer()
    return api.wallet()


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each story ends with books that agree with each other."""
    yield
    assert faults(backend, api.tenant) == []


def subscribe(api, billing_mode, **fields):
    metric = api.metric("use", aggregation="sum", aggregation_property="n")
    model = {"model": "flat_unit", "unit_price": "100"}
    price = {"metric_id": metric["id"], **model, **fields.pop("price", {})}
    return api.subscribe("c1", api.plan(price, billing_mode=billing_mode, **fields)["id"])


def deposit(api, wallet, amount):
    assert api.move(wallet, "credit", amount, "deposit").status_code == 200


def use(api, key, amount):
    api.ingest(event(key, name="use", properties={"n": amount}))


def charge(api, backend):
    """What the workers do every few seconds."""
    backend.run(metering.fold_all(backend.services.database))
    do(api, invoicing.CHARGE)


def balance(api, wallet):
    return api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]


def state(api, wallet, subscription):
    told = api.get(f"/v1/subscriptions/{subscription['id']}").json()["subscription"]
    return told["status"], balance(api, wallet)


def invoices(api):
    told = api.get("/v1/invoices").json()["invoices"]
    return sorted(
        (one["period_start"][:10], one["status"], one["subtotal"], one["total"]) for one in told
    )


def movements(api, wallet):
    told = api.get(f"/v1/wallets/{wallet['id']}/transactions").json()["transactions"]
    return [(one["direction"], one["entry_type"], one["amount"]) for one in reversed(told)]


def happened(api):
    told = api.get("/v1/billing-events").json()["events"]
    return [one["type"] for one in reversed(told)]


def test_two_prepaid_months_with_a_fee_and_tax_are_paid_as_they_end(api, wallet, clock):
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    subscription = subscribe(api, "prepaid", base_fee="50")
    deposit(api, wallet, "1000")
    use(api, "february", 3)
    clock(FEBRUARY_END)
    after_february = balance(api, wallet)
    use(api, "march", 1)

    clock(MARCH_END)

    # 50 + 3 x 100 and 50 + 1 x 100, and 7.5 % of it.
    assert invoices(api) == [
        ("2027-01-31", "paid", "350.000000", "376.250000"),
        ("2027-02-28", "paid", "150.000000", "161.250000"),
    ]
    assert after_february == "623.750000"
    assert state(api, wallet, subscription) == ("active", "462.500000")
    assert movements(api, wallet) == [
        ("credit", "deposit", "1000.000000"),
        ("debit", "usage", "376.250000"),
        ("debit", "usage", "161.250000"),
    ]


def test_a_wallet_that_runs_dry_asks_and_pauses_and_a_top_up_bills_and_resumes(api, wallet, clock):
    subscription = subscribe(api, "prepaid")
    deposit(api, wallet, "250")
    rule = {"threshold": "100", "amount": "400", "monthly_limit": "800"}
    api.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json=rule)
    use(api, "february", 2)
    clock(FEBRUARY_END)
    after_february = state(api, wallet, subscription)
    use(api, "march", 1)
    clock(MARCH_END)
    after_march = (state(api, wallet, subscription), invoices(api)[-1])
    clock("2027-04-01T00:00:00Z")
    use(api, "while paused", 7)
    clock("2027-04-02T00:00:00Z")

    deposit(api, wallet, "400")
    clock("2027-04-02T00:00:01Z")
    resumed = state(api, wallet, subscription)
    use(api, "april", 1)
    clock(APRIL_END)

    assert after_february == ("active", "50.000000")
    assert after_march == (
        ("paused", "50.000000"),
        ("2027-02-28", "draft", "100.000000", "100.000000"),
    )
    assert resumed == ("active", "350.000000")
    assert invoices(api) == [
        ("2027-01-31", "paid", "200.000000", "200.000000"),
        ("2027-02-28", "paid", "100.000000", "100.000000"),
        ("2027-03-31", "paid", "100.000000", "100.000000"),
    ]
    assert state(api, wallet, subscription) == ("active", "250.000000")
    assert happened(api) == [
        "subscription.created",
        "invoice.created",
        "customer.wallet.top_up_requested",
        "invoice.finalized",
        "invoice.paid",
        "invoice.created",
        "subscription.prepaid_balance_insufficient",
        "invoice.finalized",
        "invoice.paid",
        "subscription.resumed",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
    ]
    (asked,) = api.get(f"/v1/wallets/{wallet['id']}/top-ups").json()["top_ups"]
    assert (asked["amount"], asked["status"]) == ("400.000000", "paid")


def test_realtime_goes_over_tier_borders_and_waits_at_an_empty_wallet(api, backend, wallet, clock):
    subscription = subscribe(
        api, "realtime", price={"model": "tiered", "tiers": TIERS, "unit_price": None}
    )
    deposit(api, wallet, "120")
    states = []
    # 8 x 10 = 80; of 14: 10 x 10 + 4 x 5 = 120, which is all there is.
    use(api, "first", 8)
    charge(api, backend)
    states.append(state(api, wallet, subscription))
    clock("2027-02-03T00:00:00Z")
    use(api, "over the first border", 6)
    charge(api, backend)
    states.append(state(api, wallet, subscription))
    # Of 17: 135, and so 15 too few.
    clock("2027-02-05T00:00:00Z")
    use(api, "too much", 3)
    clock("2027-02-05T00:00:05Z")
    charge(api, backend)
    states.append(state(api, wallet, subscription))
    clock("2027-02-06T00:00:00Z")
    use(api, "while paused", 5)
    charge(api, backend)
    clock("2027-02-07T00:00:00Z")

    deposit(api, wallet, "50")
    clock("2027-02-07T00:00:01Z")
    states.append(state(api, wallet, subscription))
    # Of 17 + 8: 10 x 10 + 10 x 5 + 5 x 1 = 155.
    use(api, "over the second border", 8)
    charge(api, backend)
    states.append(state(api, wallet, subscription))
    clock(FEBRUARY_END)

    assert states == [
        ("active", "40.000000"),
        ("active", "0.000000"),
        ("paused", "0.000000"),
        ("active", "35.000000"),
        ("active", "15.000000"),
    ]
    assert invoices(api) == [("2027-01-31", "paid", "155.000000", "155.000000")]
    assert state(api, wallet, subscription) == ("active", "15.000000")
    assert movements(api, wallet) == [
        ("credit", "deposit", "120.000000"),
        ("debit", "usage", "80.000000"),
        ("debit", "usage", "40.000000"),
        ("credit", "deposit", "50.000000"),
        ("debit", "usage", "15.000000"),
        ("debit", "usage", "20.000000"),
    ]
    assert "subscription.realtime_balance_exhausted" in happened(api)


def test_credits_pay_until_they_expire_and_money_pays_the_rest(api, wallet, clock):
    subscription = subscribe(api, "prepaid")
    deposit(api, wallet, "500")
    path = f"/v1/wallets/{wallet['id']}/credits"
    grant = {"currency": "NGN", "priority": 1}
    soon = {"amount": "40", "idempotency_key": "soon", "expires_at": "2027-02-10T00:00:00Z"}
    later = {"amount": "160", "idempotency_key": "later", "expires_at": "2027-03-10T00:00:00Z"}
    api.make(path, {**grant, **soon}, "credit")
    api.make(path, {**grant, **later}, "credit")
    use(api, "february", 1)
    clock(FEBRUARY_END)
    after_february = balance(api, wallet)
    use(api, "march", 2)

    clock(MARCH_END)

    # February is paid by the second grant; what is left of it is over when March ends.
    assert after_february == "500.000000"
    assert state(api, wallet, subscription) == ("active", "300.000000")
    granted = api.get(path).json()["credits"]
    assert [(one["amount"], one["remaining"], one["expired_at"]) for one in granted] == [
        ("160.000000", "0.000000", "2027-03-10T00:00:00Z"),
        ("40.000000", "0.000000", "2027-02-10T00:00:00Z"),
    ]
    assert [one[1] for one in invoices(api)] == ["paid", "paid"]


def test_what_was_held_too_long_is_there_again_when_the_month_ends(api, wallet, clock):
    subscription = subscribe(api, "prepaid")
    deposit(api, wallet, "100")
    holding = {
        "amount": "70",
        "currency": "NGN",
        "idempotency_key": "hold",
        "expires_at": FEBRUARY_END,
    }
    held = api.make(f"/v1/wallets/{wallet['id']}/reservations", holding, "reservation")
    use(api, "february", 1)

    clock(FEBRUARY_END)

    assert held["status"] == "open"
    assert invoices(api) == [("2027-01-31", "paid", "100.000000", "100.000000")]
    assert state(api, wallet, subscription) == ("active", "0.000000")


def test_what_realtime_took_too_much_comes_back_when_the_month_ends(api, backend, wallet, clock):
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    subscription = subscribe(api, "realtime")
    deposit(api, wallet, "500")
    use(api, "bought", 2)
    charge(api, backend)
    charged = balance(api, wallet)
    clock("2027-02-10T00:00:00Z")
    use(api, "given back", -1)
    charge(api, backend)
    not_yet = balance(api, wallet)

    clock(FEBRUARY_END)

    # 2 x 100 and 7.5 % are 215; what stays is 1 x 100 and 7.5 %.
    assert (charged, not_yet) == ("285.000000", "285.000000")
    assert invoices(api) == [("2027-01-31", "paid", "100.000000", "107.500000")]
    assert state(api, wallet, subscription) == ("active", "392.500000")
    assert movements(api, wallet) == [
        ("credit", "deposit", "500.000000"),
        ("debit", "usage", "215.000000"),
        ("credit", "refund", "107.500000"),
    ]
