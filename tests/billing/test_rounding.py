"""What a subtotal rounds off or on comes with the subscription's next invoice."""

from decimal import Decimal

import asyncpg
import pytest

from monigo import invoicing
from support.agenda import do
from support.api import event
from support.metering import fold
from support.verification import faults

START = "2027-01-01T00:00:00Z"
END = "2027-02-01T00:00:00Z"


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with invoices that `verify` finds nothing in."""
    yield
    assert faults(backend, api.tenant) == []


def subscribed(api, unit_price="0.5", currency="XOF", *, metric=(), **plan):
    """A customer who pays so much for each call, from the start of January on."""
    api.customer()
    price = {"metric_id": api.metric(**dict(metric))["id"], "model": "flat_unit"}
    offered = api.plan({**price, "unit_price": unit_price}, currency=currency, **plan)
    return api.subscribe("c1", offered["id"], start_date=START)


def bill(api, subscription):
    """Make the running period's draft, and then final."""
    return api.finalize(api.draft(subscription["id"])["id"])


def bill_each_call(api, subscription, times):
    """A call, its invoice, and so on."""
    made = []
    for number in range(times):
        api.ingest(event(f"call-{number}"))
        made.append(bill(api, subscription))
    return made


def cancel(api, subscription):
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})


def invoices(api, what="invoices"):
    """All final ones, in the order of their numbers."""
    known = [one for one in api.get(f"/v1/{what}").json()[what] if one["number"]]
    return sorted(known, key=lambda one: one["number"])


def subtotals(made):
    return [Decimal(one["subtotal"]) for one in made]


def rounding(invoice):
    """The amounts of its rounding lines."""
    lines = [line for line in invoice["line_items"] if line["kind"] == "rounding"]
    return [Decimal(line["amount"]) for line in lines]


def work(api):
    """What the workers would do in the next seconds."""
    fold(api)
    do(api, invoicing.CHARGE)


@pytest.mark.parametrize(
    ("price", "times", "total"),
    [(("0.5", "XOF"), 10, "5"), (("0.4", "XOF"), 10, "4"), (("0.004", "NGN"), 5, "0.02")],
)
def test_calls_billed_one_by_one_come_to_what_they_cost_together(api, clock, price, times, total):
    clock(START)
    subscription = subscribed(api, *price)

    made = bill_each_call(api, subscription, times)

    assert sum(subtotals(made)) == Decimal(total)


def test_late_calls_come_to_what_they_cost_together_and_no_invoice_to_nothing(api, clock):
    clock(START)
    subscription = subscribed(api, "0.4")
    api.ingest(event("1"), event("2"))
    clock("2027-01-10T00:00:00Z")
    cancel(api, subscription)

    for day in range(11, 16):
        api.ingest(event(f"late-{day}", timestamp="2027-01-09T00:00:00Z"))
        clock(f"2027-01-{day + 1}T00:00:01Z")

    made = invoices(api)
    assert subtotals(made) == [1, 1, 1]
    assert [one["kind"] for one in made] == ["closing", "supplementary", "supplementary"]


def test_what_is_too_little_for_an_invoice_is_not_forgotten(api, backend, clock):
    clock(START)
    subscription = subscribed(api, "0.1")
    clock("2027-02-10T00:00:00Z")
    cancel(api, subscription)
    api.ingest(event("january", timestamp="2027-01-09T00:00:00Z"))
    api.ingest(event("february", timestamp="2027-02-09T00:00:00Z"))
    clock("2027-02-12T00:00:00Z")
    before = len(invoices(api))
    let_time_pass(api, backend)
    four = [event(f"{number}", timestamp="2027-02-08T00:00:00Z") for number in range(4)]
    api.ingest(*four)

    clock("2027-02-14T00:00:00Z")

    supplementary = invoices(api)[-1]
    assert (before, len(invoices(api))) == (2, 3)
    assert supplementary["subtotal"] == "1.000000"
    told = [(line["period_start"], line["quantity"]) for line in supplementary["line_items"]]
    assert told == [(START, "1"), (END, "5")]


def let_time_pass(api, backend):
    """As if what came late until now had been seen long ago by all that looks at it."""
    fold(api)
    for statement in (
        (
            "UPDATE late_usage SET last_received_at = last_received_at - interval '1 hour'"
            " WHERE org_id = $1"
        ),
        "UPDATE usage_events SET received_at = received_at - interval '1 hour' WHERE org_id = $1",
    ):
        backend.sql(statement, api.org_id)


def test_a_period_that_opens_without_a_fee_has_no_invoice_of_rounding_alone(api, clock):
    clock(START)
    subscription = subscribed(api)
    other = api.plan(currency="XOF")
    api.ingest(event("1"))
    clock("2027-01-10T00:00:00Z")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"plan_id": other["id"]})

    clock("2027-01-20T00:00:00Z")

    assert [(one["kind"], one["subtotal"]) for one in invoices(api)] == [("closing", "1.000000")]


def test_a_void_after_the_end_makes_no_invoice_of_rounding_alone(api, clock):
    clock(START)
    subscription = subscribed(api)
    api.ingest(event("1"))
    clock("2027-02-02T00:00:00Z")
    api.ingest(event("2"))
    cancel(api, subscription)
    january, _ = invoices(api)
    api.post(f"/v1/invoices/{january['id']}/void")

    clock("2027-02-10T00:00:00Z")

    assert [(one["status"], one["subtotal"]) for one in invoices(api)] == [
        ("void", "1.000000"),
        ("paid", "0.000000"),
    ]


def test_differences_that_cancel_out_make_no_invoice(api, clock):
    clock(START)
    subscription = subscribed(api, "1", metric={"aggregation": "sum", "aggregation_property": "n"})
    clock("2027-02-10T00:00:00Z")
    cancel(api, subscription)
    api.ingest(
        event("more", properties={"n": 5}, timestamp="2027-01-09T00:00:00Z"),
        event("less", properties={"n": -5}, timestamp="2027-02-09T00:00:00Z"),
    )

    clock("2027-05-20T00:00:00Z")

    assert [one["kind"] for one in invoices(api)] == ["closing", "closing"]


@pytest.mark.parametrize(("used", "moved"), [(-5, "5.000000"), (3, "-3.000000")])
def test_a_difference_that_a_credit_settles_makes_an_invoice(api, clock, used, moved):
    clock(START)
    subscription = subscribed(api, "1", metric={"aggregation": "sum", "aggregation_property": "n"})
    api.ingest(event("refund", properties={"n": -10}))
    clock("2027-01-10T00:00:00Z")
    cancel(api, subscription)
    api.ingest(event("late", properties={"n": used}, timestamp="2027-01-09T00:00:00Z"))

    clock("2027-01-12T00:00:00Z")

    _, supplementary = invoices(api)
    credit = [line["amount"] for line in supplementary["line_items"] if line["kind"] == "credit"]
    assert (supplementary["subtotal"], credit) == ("0.000000", [moved])


def test_an_interim_and_a_closing_invoice_come_to_the_months_usage(api, clock):
    clock(START)
    subscription = subscribed(api)
    api.ingest(event("1"))
    bill(api, subscription)
    draft = api.draft(subscription["id"])
    clock(END)
    clock("2027-03-01T00:00:00Z")

    interim, closing, next_month = invoices(api)

    assert subtotals([interim, closing, next_month]) == [1, 0, 0]
    assert (rounding(interim), rounding(draft)) == ([], [Decimal("-0.5")])
    assert (rounding(closing), rounding(next_month)) == ([Decimal("-0.5")], [Decimal("-0.5")])


def test_a_void_is_set_right_by_the_next_invoice(api, clock):
    clock(START)
    subscription = subscribed(api)
    first, second = bill_each_call(api, subscription, 2)
    api.post(f"/v1/invoices/{first['id']}/void")

    again = bill(api, subscription)

    assert subtotals([first, second]) == [1, 0]
    assert [line["amount"] for line in again["line_items"]] == ["0.500000", "0.500000"]
    assert (again["subtotal"], rounding(again)) == ("1.000000", [Decimal("0.5")])


def test_a_draft_is_refreshed_with_what_a_void_left(api, clock):
    clock(START)
    subscription = subscribed(api)
    (first,) = bill_each_call(api, subscription, 1)
    draft = api.draft(subscription["id"])
    api.post(f"/v1/invoices/{first['id']}/void")

    refreshed = api.draft(subscription["id"])

    assert (rounding(draft), rounding(refreshed)) == ([Decimal("-0.5")], [])
    assert refreshed["id"] == draft["id"]


def test_a_waived_period_made_again_carries_what_the_others_left(api, clock):
    clock(START)
    subscription = subscribed(api)
    api.ingest(event("1"))
    clock("2027-02-02T00:00:00Z")
    api.ingest(event("2"))
    clock("2027-03-02T00:00:00Z")
    january, february = invoices(api)
    api.post(f"/v1/invoices/{january['id']}/void")
    asked = {"subscription_id": subscription["id"], "period_start": START}
    draft = api.make("/v1/invoices/generate", asked, "invoice")

    again = api.finalize(draft["id"])

    assert (subtotals([january, february]), rounding(february)) == ([1, 0], [Decimal("-0.5")])
    assert (subtotals([again]), rounding(again)) == ([1], [Decimal("0.5")])


def test_a_subscription_carries_nothing_of_another(api, clock):
    clock(START)
    first = subscribed(api)
    bill_each_call(api, first, 1)
    clock("2027-01-10T00:00:00Z")
    cancel(api, first)
    second = api.subscribe("c1", first["plan_id"], start_date="2027-01-10T00:00:00Z")
    api.ingest(event("of the second"))

    made = bill(api, second)

    assert (subtotals([made]), rounding(made)) == ([1], [])


def test_bills_carry_it_and_tax_is_rounded_by_itself(api, clock):
    api.patch("/v1/organization", json={"wht_enabled": True, "wht_rate": 5})
    clock(START)
    subscribed(api, "10.5", plan_type="payout")
    for month in ("02", "03"):
        api.ingest(event(month))
        clock(f"2027-{month}-01T00:00:00Z")

    first, second = invoices(api, "bills")

    assert subtotals([first, second]) == [11, 10]
    assert [one["wht_amount"] for one in (first, second)] == ["1.000000", "1.000000"]
    assert rounding(second) == [Decimal("-0.5")]


def test_vat_is_rounded_on_each_invoice_and_not_carried(api, clock):
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 10})
    clock(START)
    subscription = subscribed(api, "5.4")

    made = bill_each_call(api, subscription, 3)

    assert subtotals(made) == [5, 6, 5]
    assert [one["vat_amount"] for one in made] == ["1.000000", "1.000000", "1.000000"]


def test_grouped_lines_carry_it_once(api, clock):
    clock(START)
    subscription = subscribed(api, metric={"group_by": "model"})
    api.ingest(*[event(name, properties={"model": name}) for name in ("a", "b", "c")])
    first = bill(api, subscription)
    api.ingest(event("again", properties={"model": "a"}))

    second = bill(api, subscription)

    assert (subtotals([first, second]), rounding(second)) == ([2, 0], [Decimal("-0.5")])
    assert [line["group_value"] for line in second["line_items"]] == ["a", ""]


def test_a_credit_is_brought_after_it(api, clock):
    clock(START)
    subscription = subscribed(
        api, "0.5", metric={"aggregation": "sum", "aggregation_property": "n"}
    )
    api.ingest(event("refund", properties={"n": -7}))
    refunded = bill(api, subscription)
    # It takes 2.5 of the 3.5, for 3 would be more than there is to pay.
    api.ingest(event("more", properties={"n": 5}))
    bill(api, subscription)
    api.ingest(event("last", properties={"n": 10}))

    made = bill(api, subscription)

    assert [line["amount"] for line in refunded["line_items"]] == ["-3.500000", "3.500000"]
    told = [(line["kind"], line["amount"]) for line in made["line_items"]]
    assert told == [("credit", "-1.000000"), ("usage", "5.000000")]
    assert made["subtotal"] == "4.000000"


def test_prepaid_periods_take_from_the_wallet_what_they_cost_together(api, clock):
    clock(START)
    subscribed(api, billing_mode="prepaid")
    wallet = api.wallet(currency="XOF", funds="10")
    for month in ("02", "03", "04"):
        api.ingest(event(month))
        clock(f"2027-{month}-01T00:00:00Z")

    made = invoices(api)

    left = api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]
    assert (subtotals(made), left) == ([1, 0, 1], "8.000000")


def test_realtime_takes_what_an_invoice_would_come_to(api, clock):
    clock(START)
    subscribed(api, billing_mode="realtime")
    wallet = api.wallet(currency="XOF", funds="10")
    balances = []
    api.ingest(event("1"))
    clock(END)
    for number in range(2, 5):
        api.ingest(event(f"{number}"))
        work(api)
        balances.append(api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"])
    clock("2027-03-01T00:00:00Z")

    made = invoices(api)

    assert balances == ["9.000000", "8.000000", "8.000000"]
    assert (subtotals(made), [one["status"] for one in made]) == ([1, 1], ["paid", "paid"])


def test_it_is_explained_by_what_was_billed_before(api, clock):
    clock(START)
    subscription = subscribed(api)
    *_, fourth = bill_each_call(api, subscription, 4)

    explanation = api.get(f"/v1/invoices/{fourth['id']}/explain").json()["explanation"]

    _, line = explanation["lines"]
    told = [(step["step"], step["amount"], step["total"]) for step in line["steps"]]
    assert told == [
        (
            "the lines of the subscription's 3 earlier invoices, before rounding",
            "1.500000",
            "1.500000",
        ),
        ("what their subtotals billed of it", "-2.000000", "-0.500000"),
    ]
    assert (line["kind"], line["metric"], line["is_adjustment"]) == ("rounding", None, False)


def test_a_half_that_is_owed_no_more_is_explained(api, clock):
    clock(START)
    subscription = subscribed(api)
    bill_each_call(api, subscription, 1)
    nothing_more = bill(api, subscription)

    explanation = api.get(f"/v1/invoices/{nothing_more['id']}/explain").json()["explanation"]

    last = explanation["steps"][-1]
    assert (last["step"], last["total"]) == (
        "subtotal: with all that was billed before it is rounded half away from zero to 0 places",
        "0.000000",
    )


def test_an_invoice_from_before_rounding_was_carried_leaves_nothing(api, backend, clock):
    clock(START)
    subscription = subscribed(api)
    (before,) = bill_each_call(api, subscription, 1)
    forget_rounding(backend, before)

    after = bill_each_call(api, subscription, 2)

    assert [rounding(one) for one in after] == [[], []]


def forget_rounding(backend, invoice):
    """As if the invoice had been made before there was such a thing."""
    backend.sql(
        "WITH off AS (SELECT set_config('session_replication_role', 'replica', true))"
        " UPDATE invoices SET rounded_off = NULL FROM off WHERE id = $1",
        invoice["id"],
    )


@pytest.mark.parametrize("fate", ["void", "from before"])
def test_a_half_to_give_back_is_carried_forward_where_nothing_counts_that_was_billed(
    api, backend, clock, fate
):
    clock(START)
    subscription = subscribed(api, metric={"aggregation": "sum", "aggregation_property": "n"})
    api.ingest(event("1", properties={"n": 1}))
    first = bill(api, subscription)
    if fate == "void":
        api.post(f"/v1/invoices/{first['id']}/void")
        api.ingest(event("2", properties={"n": -2}))
    else:
        forget_rounding(backend, first)
        api.ingest(event("2", properties={"n": -1}))

    second = bill(api, subscription)

    assert [line["amount"] for line in second["line_items"]] == ["-0.500000", "0.500000"]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE invoices SET rounded_off = 0 WHERE id = $1", "invoices_final_immutable"),
        (
            (
                "INSERT INTO invoice_line_items SELECT org_id, is_test, gen_random_uuid(),"
                " invoice_id, subscription_id, position + 9, kind, price_id, metric_id,"
                " period_start, period_end, description, quantity, unit_price, amount,"
                " cumulative_quantity, cumulative_amount, price_revision, created_at,"
                " group_value, event_count, first_event_at, last_event_at, whole_quantity"
                " FROM invoice_line_items WHERE invoice_id = $1 AND kind = 'rounding'"
            ),
            "invoice_line_items_one_rounding",
        ),
        (
            (
                "INSERT INTO invoice_line_items SELECT org_id, is_test, gen_random_uuid(),"
                " invoice_id, subscription_id, position + 9, 'rounding', price_id, NULL,"
                " period_start, period_end, description, quantity, unit_price, amount,"
                " cumulative_quantity, cumulative_amount, price_revision, created_at,"
                " group_value, event_count, first_event_at, last_event_at, whole_quantity"
                " FROM invoice_line_items WHERE invoice_id = $1 AND kind = 'usage'"
            ),
            "invoice_line_items_rounding_has_no_price",
        ),
    ],
)
def test_the_database_keeps_it(api, backend, clock, statement, constraint):
    clock(START)
    subscription = subscribed(api)
    _, second = bill_each_call(api, subscription, 2)

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        backend.sql(statement, second["id"], as_app=api.tenant)

    assert refused.value.constraint_name == constraint
