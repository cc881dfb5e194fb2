"""How an invoice's amounts are told, step by step; without a database."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from monigo.catalog import BaseFee, Metric, MetricDefinition, PlanType
from monigo.core.aggregation import Aggregation
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit
from monigo.invoicing import (
    AgreedPrice,
    BilledBefore,
    Invoice,
    InvoiceKind,
    Line,
    LineKind,
    StoredLine,
)
from monigo.invoicing.explain.rules import (
    credit_steps,
    fee_steps,
    is_adjustment,
    total_steps,
    usage_steps,
)
from monigo.invoicing.types import Terms, Totals
from support.values import PLAN, START, made

JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 4))
WINDOWS = (Period(FEBRUARY, MARCH),)
ANY_ID = UUID(int=99)


def line(amount, *, start=FEBRUARY, **said):
    usual = {
        "kind": LineKind.USAGE,
        "period": Period(start, MARCH),
        "description": "Calls",
        "group_value": "",
        "event_count": 3,
        "quantity": Decimal(0),
        "whole_quantity": Decimal(10),
        "cumulative_quantity": Decimal(10),
        "cumulative_amount": Decimal(amount),
    }
    return made(Line, usual, {"amount": Decimal(amount), **said})


def invoice(*lines, kind=InvoiceKind.CLOSING, currency="NGN", plan_type=None, **sums):
    rates = {"vat_enabled": False, "vat_rate": 0, "vat_amount": 0, "wht_rate": 0, "wht_amount": 0}
    totals = {name: Decimal(value) for name, value in {**rates, **sums}.items()}
    stored = tuple(StoredLine(ANY_ID, ANY_ID, one, START) for one in lines)
    said = {"kind": kind, "currency": currency, "lines": stored, "period": Period(FEBRUARY, MARCH)}
    said["totals"] = made(Totals, {}, totals)
    return made(Invoice, {}, {**said, "plan_type": plan_type or PlanType.COLLECTION})


def terms(*, fee="5", windows=WINDOWS):
    return Terms(PLAN, 3, BaseFee(Decimal(fee)), 2, windows, ())


def metric(group_by=""):
    of = MetricDefinition("Calls", "call", Aggregation.COUNT, "", "", (), group_by)
    return Metric(ANY_ID, of, 1, START, START)


PRICE = AgreedPrice(ANY_ID, 1, Charge(FlatUnit(Decimal(2))), metric())


def billed(number, quantity, amount):
    said = {"number": number, "quantity": Decimal(quantity), "amount": Decimal(amount)}
    return made(BilledBefore, {}, said)


def told(steps):
    return [(step.text, step.amount, step.total) for step in steps]


@pytest.mark.parametrize(
    ("kind", "line_kind", "start", "is_one"),
    [
        ("closing", "usage", FEBRUARY, False),
        ("closing", "usage", JANUARY, True),
        ("closing", "fee", JANUARY, True),
        ("closing", "fee", FEBRUARY, False),
        ("closing", "credit", JANUARY, False),
        ("supplementary", "usage", FEBRUARY, True),
        ("supplementary", "credit", FEBRUARY, False),
        ("interim", "usage", FEBRUARY, False),
    ],
)
def test_an_adjustment_bills_a_period_that_was_closed_before(kind, line_kind, start, is_one):
    one = line(1, start=start, kind=LineKind(line_kind))

    assert is_adjustment(invoice(one, kind=InvoiceKind(kind), subtotal=1), one) is is_one


def test_usage_is_priced_as_a_whole_and_what_was_billed_is_taken_off():
    before = [billed("INV-000001", 4, 8), billed("INV-000002", 1, 2)]

    assert told(usage_steps(line(10), terms(), PRICE, metric(), before)) == [
        ("10 x 2", 20, 20),
        ("billed by INV-000001 for a quantity of 4", -8, 12),
        ("billed by INV-000002 for a quantity of 1", -2, 10),
    ]


def test_a_price_that_is_gone_and_a_paused_period_are_worth_nothing():
    before = [billed("INV-000001", 4, 8)]

    gone = usage_steps(line(-8), terms(), None, metric(), before)
    paused = usage_steps(line(0), terms(windows=()), PRICE, metric(), [])

    assert told(gone) == [
        ("the price is no longer on the plan: it is worth nothing", 0, 0),
        ("billed by INV-000001 for a quantity of 4", -8, -8),
    ]
    assert told(paused) == [("the whole period was paused: nothing is due", 0, 0)]


@pytest.mark.parametrize(
    ("group_value", "group_by", "of"),
    [("eu", "region", "'eu'"), ("", "region", "no region"), ("eu", "", "'eu'")],
)
def test_a_group_has_its_share(group_value, group_by, of):
    share = line(
        6,
        group_value=group_value,
        cumulative_quantity=Decimal(3),
        cumulative_amount=Decimal(6),
    )

    steps = told(usage_steps(share, terms(), PRICE, metric(group_by), []))

    share_of = f"the share of {of}, 3 of 10, in proportion, cut to six places;"
    assert steps == [
        ("10 x 2", 20, 20),
        (f"{share_of} the largest share takes what is left", -14, 6),
    ]


def test_what_has_changed_since_a_draft_is_told():
    assert told(usage_steps(line(25), terms(), PRICE, metric(), []))[-1] == (
        "what has changed since this draft was made",
        5,
        25,
    )


def test_a_fee_is_told_by_its_revision_and_none_is_owed_for_a_pause():
    before = [billed("INV-000001", 1, 4)]

    assert told(fee_steps(line(1), terms(), before)) == [
        ("base fee, plan revision 2", 5, 5),
        ("billed by INV-000001 for a quantity of 1", -4, 1),
    ]
    assert told(fee_steps(line(0), terms(windows=()), [])) == [
        ("the whole period was paused: no base fee is due", 0, 0)
    ]


def test_a_credit_is_carried_forward_or_brought_in():
    others = [line(3), line(-10)]

    carried = credit_steps(line(7, kind=LineKind.CREDIT), others, available=Decimal(0))
    brought = credit_steps(line(-4, kind=LineKind.CREDIT), [line(4)], available=Decimal(9))
    whole = credit_steps(line(-9, kind=LineKind.CREDIT), [line(40)], available=Decimal(9))

    assert told(carried) == [("the other lines come to -7, which is carried forward", 7, 7)]
    assert told(brought) == [
        ("credit that earlier invoices carried forward", -9, -9),
        ("as much of it as the other lines come to (4)", 5, -4),
    ]
    assert told(whole) == [
        ("credit that earlier invoices carried forward", -9, -9),
        ("as much of it as the other lines come to (40)", 0, -9),
    ]


def test_an_invoice_comes_to_its_lines_and_vat():
    sums = {"subtotal": "12.35", "vat_enabled": True, "vat_rate": "7.5", "vat_amount": "0.93"}

    steps = told(total_steps(invoice(line("10.345"), line("2"), **sums)))

    assert steps == [
        ("Calls", Decimal("10.345"), Decimal("10.345")),
        ("Calls", 2, Decimal("12.345")),
        (
            "subtotal, rounded half away from zero to 2 places",
            Decimal("0.005"),
            Decimal("12.35"),
        ),
        ("VAT, 7.5 % of the subtotal", Decimal("0.92625"), Decimal("13.27625")),
        (
            "VAT rounded half away from zero to 2 places",
            Decimal("0.00375"),
            Decimal("13.28"),
        ),
    ]


def test_a_bill_comes_to_its_lines_less_what_is_withheld():
    sums = {"subtotal": "33", "wht_rate": "5", "wht_amount": "2", "currency": "XOF"}

    steps = told(total_steps(invoice(line("33.2"), plan_type=PlanType.PAYOUT, **sums)))

    assert steps[1:] == [
        ("subtotal, rounded half away from zero to 0 places", Decimal("-0.2"), 33),
        ("withholding tax, 5 % of the subtotal", Decimal("-1.65"), Decimal("31.35")),
        (
            "withholding tax rounded half away from zero to 0 places",
            Decimal("-0.35"),
            31,
        ),
    ]


@pytest.mark.parametrize("plan_type", [PlanType.COLLECTION, PlanType.PAYOUT])
def test_without_taxes_the_subtotal_is_the_last_step(plan_type):
    steps = total_steps(invoice(line(1), subtotal=1, plan_type=plan_type))

    assert [step.text for step in steps] == [
        "Calls",
        "subtotal, rounded half away from zero to 2 places",
    ]
