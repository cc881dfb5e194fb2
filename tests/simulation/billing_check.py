"""What the system says, held against the books."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from simulation.billing_books import Books
from simulation.billing_invoices import CREDIT, FEE, ROUNDING, Bill, Key
from simulation.billing_subscriptions import Sub
from simulation.billing_wire import at


def check_bill(told: dict[str, Any], bill: Bill) -> None:
    """An invoice is what the auditor wrote, line by line; a price's groups add up to it."""
    lines: dict[Key, Fraction] = defaultdict(Fraction)
    carried: dict[str, Fraction] = defaultdict(Fraction)
    for line in told["line_items"]:
        amount = Fraction(line["amount"])
        if line["kind"] in {CREDIT, ROUNDING}:
            carried[line["kind"]] += amount
        else:
            lines[line["period_start"], line["price_id"] or FEE] += amount
    known = {key: amount for key, amount in bill.lines.items() if amount}
    assert {key: amount for key, amount in lines.items() if amount} == known, difference(
        lines, known, told, bill
    )
    own = {
        "kind": bill.kind,
        "subscription": bill.sub.id,
        "period": bill.span,
        "finalized_at": bill.at,
        "rounding": bill.rounding,
        "credit": bill.credit,
        "subtotal": bill.subtotal,
        "tax": bill.tax,
        "total": bill.total,
    }
    found = {
        "kind": told["kind"],
        "subscription": told["subscription_id"],
        "period": (told["period_start"], told["period_end"]),
        "finalized_at": told["finalized_at"],
        "rounding": carried[ROUNDING],
        "credit": carried[CREDIT],
        **{name: Fraction(told[name]) for name in ("subtotal", "tax", "total")},
    }
    assert found == own, difference(found, own, told, bill)


def check_state(told: dict[str, Any], bill: Bill) -> None:
    """An invoice's status, and what of it is paid and due."""
    assert told["status"] == bill.status, (bill.status, told)
    if bill.plan_type == "collection" and bill.status != "void":
        found = Fraction(told["amount_paid"]), Fraction(told["amount_due"])
        assert found == (bill.paid + bill.elsewhere, bill.due), (bill.parts, bill.elsewhere, told)


def check_numbers(told: list[dict[str, Any]], counts: dict[str, int]) -> None:
    """New invoices are numbered without a gap."""
    for invoice in told:
        plan_type = invoice["plan_type"]
        prefix = {"collection": "INV", "payout": "BILL"}[plan_type]
        counts[plan_type] += 1
        assert invoice["number"] == f"{prefix}-{counts[plan_type]:06d}", invoice


def check_subscription(told: dict[str, Any], sub: Sub, now: datetime) -> None:
    """A subscription's state and present period."""
    found = {
        "status": told["status"],
        "plan": told["plan_id"],
        "period": (at(told["current_period_start"]), at(told["current_period_end"])),
        "start": at(told["start_date"]),
        "trial": at(told["trial_ends_at"]),
        "canceled": at(told["canceled_at"]),
        "error": told["billing_error"],
    }
    known = {
        "status": sub.status,
        "plan": sub.plan.id,
        "period": sub.shown_period(now),
        "start": sub.start,
        "trial": sub.trial_end,
        "canceled": sub.canceled_at,
        "error": "",
    }
    if sub.status != "canceled":
        found["cancel_at"], known["cancel_at"] = at(told["cancel_at"]), sub.cancel_at
    plan, instant = sub.scheduled or (None, None)
    found["scheduled"] = told["scheduled_plan_id"], at(told["scheduled_at"])
    known["scheduled"] = plan and plan.id, instant
    assert found == known, difference(found, known, told, sub)


def check_wallets(books: Books, told: dict[str, dict[str, Any]]) -> None:
    """The money in each wallet."""
    found = {wallet["id"]: Fraction(wallet["balance"]) for wallet in told.values()}
    known = {wallet.id: wallet.balance for wallet in books.wallets.values()}
    assert found == known, difference(found, known)


def difference(found: dict[Any, Any], known: dict[Any, Any], *more: Any) -> str:
    """What only one of two dictionaries says."""

    def only(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
        return {key: plain(value) for key, value in one.items() if other.get(key, 0) != value}

    told = "\n".join(str(brief(each)) for each in more)
    return f"only told {only(found, known)},\nonly known {only(known, found)}\n{told}"


def plain(value: Any) -> Any:
    """An amount as people write it."""
    return float(value) if isinstance(value, Fraction) else value


def brief(told: Any) -> Any:
    """An invoice in few words; anything else as it is."""
    if not isinstance(told, dict) or "line_items" not in told:
        return told
    lines = [
        (f"{line['period_start']:%m-%d}", (line["price_id"] or line["kind"])[-4:], line["amount"])
        for line in told["line_items"]
    ]
    names = ("kind", "status", "number", "subscription_id", "finalized_at", "total")
    return {name: str(told[name]) for name in names} | {"lines": lines}
