"""What bills and the books must show by what the providers' books have sent.

Nothing here is computed as the product does it. A bill names the references of its transfers, and
how much of each was to pay it; what payees have is what the providers' books say of these.
"""

from collections import Counter, defaultdict
from decimal import Decimal

ZERO = Decimal(0)
CURRENCY = "NGN"
# What providers take for each transfer that arrives.
FEE = Decimal(10)
# A payee has it, or may get it.
GOING = {"success", "pending", "otp"}
VOID = "voided"


class Picture:
    """Both sides' books at one moment."""

    def __init__(self, world):
        self.world = world
        rows = world.rows()
        self.count = Counter(row["reference"] for row in rows)
        self.rows = {row["reference"]: row for row in rows}
        self.bills = [one for one in world.bills() if one["status"] != "draft"]
        # By bill: its transfers. By reference: what it is to pay, of all bills.
        self.transfers = {bill["id"]: world.transactions(bill) for bill in self.bills}
        self.meant = defaultdict(Decimal)
        for found in self.transfers.values():
            for one in found:
                self.meant[one["reference"]] += Decimal(one["bill_amount"])

    def sum_of(self, bill, statuses):
        """What the provider's books have of a bill in these states."""
        return sum(
            (
                Decimal(one["bill_amount"])
                for one in self.transfers[bill["id"]]
                if self.status(one["reference"]) in statuses
            ),
            ZERO,
        )

    def status(self, reference):
        row = self.rows.get(reference)
        return row["status"] if row else ""


def check_at_any_time(picture, *, is_end=False):
    """Nobody gets anything twice, and nobody is said to have what they have not."""
    world = picture.world
    failed = world.ask("/v1/set-aside")["set_aside"]
    # A list that could not be read is read again; in the end all were.
    failed = [one for one in failed if is_end or one["kind"] != "reconciliation"]
    assert failed == [], f"work failed: {failed}"
    twice = [reference for reference, times in picture.count.items() if times > 1]
    assert not twice, f"one reference was used for several transfers: {twice}"
    for reference, row in picture.rows.items():
        meant = picture.meant.get(reference)
        assert meant is not None, f"nobody intended to send {row}"
        assert Decimal(row["amount"]) in {meant, meant / 2}, f"{row} in place of {meant}"
    for bill in picture.bills:
        total, paid = Decimal(bill["total"]), Decimal(bill["amount_paid"])
        going = picture.sum_of(bill, GOING)
        arrived = picture.sum_of(bill, {"success", "reversed"})
        assert going <= total, f"{going} are sent of {total}: {bill} {picture.transfers}"
        if bill["status"] == VOID:
            assert going == ZERO, f"{going} are sent of a void bill: {bill}"
            continue
        assert paid <= arrived, f"{paid} are paid, of which {arrived} arrived: {bill}"
        assert Decimal(bill["amount_due"]) == total - paid, bill
        assert (bill["status"] == "paid") == (total == paid), bill


def check_in_the_end(picture):
    """All that is owed arrived, and the books say what the providers' do."""
    check_at_any_time(picture, is_end=True)
    for bill in picture.bills:
        if bill["status"] == VOID:
            continue
        arrived = picture.sum_of(bill, {"success"})
        told = f"{bill} {picture.transfers[bill['id']]}"
        assert arrived == Decimal(bill["total"]), f"{arrived} arrived: {told}"
        assert arrived == Decimal(bill["amount_paid"]), f"{arrived} arrived: {told}"
    check_books(picture)


def check_books(picture):
    """The trial balance has what both sides' books have."""
    told = picture.world.ask("/v1/reports/trial-balance")["trial_balance"]["currencies"]
    assert all(Decimal(one["total"]) == 0 for one in told), told
    found = Counter()
    for one in next((one for one in told if one["currency"] == CURRENCY), {}).get("accounts", []):
        found[one["kind"]] += Decimal(one["balance"])
    owed = [bill for bill in picture.bills if bill["status"] != VOID]
    withheld = sum((Decimal(bill["wht_amount"]) for bill in owed), ZERO)
    totals = sum((Decimal(bill["total"]) for bill in owed), ZERO)
    sent = [row for row in picture.rows.values() if row["status"] == "success"]
    amount = sum((Decimal(row["amount"]) for row in sent), ZERO)
    assert amount == totals, (amount, totals)
    assert found["payable"] == found["payouts_in_flight"] == found["receivable"] == ZERO, found
    assert found["withholding_payable"] == withheld, (found, withheld)
    assert found["payout_expense"] == -totals - withheld, (found, totals)
    fees = -found["provider_fees"]
    assert found["provider"] == amount + fees, (found, amount)
    assert fees == FEE * len(sent), (found, len(sent))


def explain(world):
    """What one side has and the other has not, for whoever looks for a fault."""
    theirs = {row["reference"]: row for row in world.rows()}
    lines = []
    for bill in world.bills():
        for one in world.transactions(bill):
            there = theirs.get(one["reference"], {}).get("status", "nothing")
            if one["state"] == "succeeded" and one["fee"] is None:
                lines.append(f"no fee of {one['provider']} {one['reference']}")
            if there != {"succeeded": "success"}.get(one["state"], one["state"]):
                said = f"{one['provider']} {one['reference']} of {one['bill_amount']}"
                lines.append(f"{bill['number']}: {said} is {one['state']} here, {there} there")
    lines += [f"not final: {dict(one)}" for one in world.live()]
    return "\n".join(lines)
