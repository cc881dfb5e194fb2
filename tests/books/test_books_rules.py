"""Each thing that happens, as transfers from account to account; what parts come to together."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo import books
from monigo.core.errors import InvariantError

SUBJECT = books.Subject(UUID(int=1), "NGN", "document", "x")
NAIRA = st.decimals(min_value=0, max_value=10**9, places=2)


def transfers(booking):
    """From, to, amount of each transfer."""
    return [(leg.source.value, leg.target.value, leg.amount) for leg in booking.legs]


def changes(*bookings):
    """What each account has gained."""
    found = {}
    for booking in bookings:
        for source, target, amount in transfers(booking):
            found[source] = found.get(source, 0) - amount
            found[target] = found.get(target, 0) + amount
    return {kind: amount for kind, amount in found.items() if amount}


D = Decimal
TOTALS = {"total": D("107.50"), "vat": D("7.50")}


@pytest.mark.parametrize(
    ("booking", "expected"),
    [
        (
            books.invoice_finalized(SUBJECT, **TOTALS),
            [("receivable", "revenue", 100), ("receivable", "tax_payable", D("7.50"))],
        ),
        (
            books.invoice_finalized(SUBJECT, **TOTALS, paid=D("43.00")),
            [
                ("receivable", "revenue", 60),
                ("receivable", "tax_payable", D("4.50")),
                ("revenue", "tax_payable", D("3.00")),
            ],
        ),
        (
            books.invoice_finalized(SUBJECT, **TOTALS, paid=D("107.50")),
            [("revenue", "tax_payable", D("7.50"))],
        ),
        (books.invoice_finalized(SUBJECT, total=D(0), vat=D(0)), []),
        (
            books.payment_received(SUBJECT, D(5), reference="mo1"),
            [("provider", "receivable", 5)],
        ),
        (
            books.received_elsewhere(SUBJECT, D(5), reference="bank"),
            [("external", "receivable", 5)],
        ),
        (
            books.provider_fee(SUBJECT, D(1), provider="paystack"),
            [("provider_fees", "provider", 1)],
        ),
        (
            books.provider_fee_returned(SUBJECT, D(1), provider="paystack"),
            [("provider", "provider_fees", 1)],
        ),
        (
            books.charge_refunded(
                SUBJECT, D("21.50"), refunded_before=D(0), provider="paystack", **TOTALS
            ),
            [("revenue", "provider", 20), ("tax_payable", "provider", D("1.50"))],
        ),
        (
            books.invoice_voided(SUBJECT, **TOTALS, due=D("107.50")),
            [("tax_payable", "receivable", D("7.50")), ("revenue", "receivable", 100)],
        ),
        (
            books.invoice_voided(SUBJECT, **TOTALS, due=D("5.00")),
            [("tax_payable", "receivable", 5), ("tax_payable", "revenue", D("2.50"))],
        ),
        (books.payment_taken_back(SUBJECT, D(3)), [("receivable", "revenue", 3)]),
        (books.written_off(SUBJECT, D(3)), [("bad_debt", "receivable", 3)]),
        (books.recovered(SUBJECT, D(3)), [("receivable", "bad_debt", 3)]),
        (
            books.lost(SUBJECT, D(3), provider="monnify"),
            [("dispute_losses", "provider", 3)],
        ),
        (
            books.bill_finalized(SUBJECT, net=D(95), withheld=D(5)),
            [("payout_expense", "payable", 95), ("payout_expense", "withholding_payable", 5)],
        ),
        (
            books.bill_voided(SUBJECT, net=D(95), withheld=D(0)),
            [("payable", "payout_expense", 95)],
        ),
        (
            books.transfer_submitted(SUBJECT, D(95), provider="paystack"),
            [("payable", "payouts_in_flight", 95)],
        ),
        (
            books.transfer_succeeded(SUBJECT, D(95), provider="paystack"),
            [("payouts_in_flight", "provider", 95)],
        ),
        (
            books.transfer_failed(SUBJECT, D(95), provider="paystack"),
            [("payouts_in_flight", "payable", 95)],
        ),
        (
            books.transfer_reversed(SUBJECT, D(95), provider="paystack"),
            [("provider", "payable", 95)],
        ),
    ],
)
def test_what_happens_goes_from_account_to_account(booking, expected):
    assert transfers(booking) == expected


def test_nothing_less_than_zero_is_booked():
    with pytest.raises(InvariantError):
        books.written_off(SUBJECT, D(-1))


def test_no_more_is_refunded_than_the_total():
    with pytest.raises(InvariantError):
        books.charge_refunded(SUBJECT, D(100), refunded_before=D(10), provider="paystack", **TOTALS)


@given(subtotal=NAIRA, vat=NAIRA, parts=st.lists(NAIRA, max_size=5))
def test_refunds_in_parts_reverse_the_vat_of_the_whole(subtotal, vat, parts):
    vat = min(vat, subtotal)
    total = subtotal + vat
    before, bookings = Decimal(0), []
    for part in [*parts, total]:
        part = min(part, total - before)  # noqa: PLW2901 - as much of it as is left
        bookings.append(
            books.charge_refunded(
                SUBJECT, part, refunded_before=before, total=total, vat=vat, provider="p"
            )
        )
        before += part

    whole = {"provider": total, "revenue": -subtotal, "tax_payable": -vat}
    assert changes(*bookings) == {kind: amount for kind, amount in whole.items() if amount}


@given(subtotal=NAIRA, vat=NAIRA, paid=NAIRA, refunded=NAIRA)
def test_a_void_leaves_no_tax_and_nothing_due(subtotal, vat, paid, refunded):
    vat = min(vat, subtotal)
    total = subtotal + vat
    paid = min(paid, total)
    refunded = min(refunded, paid)
    made = books.invoice_finalized(SUBJECT, total=total, vat=vat)
    received = books.payment_received(SUBJECT, paid, reference="mo1")
    refund = books.charge_refunded(
        SUBJECT, refunded, refunded_before=Decimal(0), total=total, vat=vat, provider="p"
    )
    void = books.invoice_voided(SUBJECT, total=total, vat=vat, due=total - paid, refunded=refunded)

    left = changes(made, received, refund, void)

    # What was paid and not refunded is to go to the wallet out of revenue.
    kept = paid - refunded
    assert left == ({"revenue": kept, "provider": -kept} if kept else {})
