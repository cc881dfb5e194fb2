"""What invoices, wallets and the books must show by what the providers' books have.

Nothing here is computed as the product does it: money that providers took is what they say, and
where it must be follows from which reference it came under. The order in which anybody heard of it
does not matter, so that each sum is known without the order.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
CURRENCY = "NGN"
# Of what a payer paid, rounded to the cent half to even: what providers keep.
FEE_RATE = Decimal("0.015")
CENT = Decimal("0.01")
# Money came by these rows, whether or not it went back later.
CAME = ("success", "reversed")
UNPAID = ("finalized", "payment_failed")


@dataclass
class Came:
    """Money that providers took for one purpose."""

    amounts: list[Decimal] = field(default_factory=list)
    reversed: Decimal = ZERO

    @property
    def total(self):
        return sum(self.amounts, ZERO)


class Picture:
    """Both sides' books at one moment."""

    def __init__(self, world):
        self.world = world
        self.rows = world.rows()
        self.invoices = {one["id"]: one for one in world.invoices()}
        self._learn()
        self.of_invoice: defaultdict[str, Came] = defaultdict(Came)
        self.of_wallet: defaultdict[str, Came] = defaultdict(Came)
        # What providers keep: of what stands, and of what they took back, where nobody may have
        # known that it came.
        self.fees = self.doubtful_fees = ZERO
        self.pulled: Counter[str] = Counter()
        for row in self._came():
            invoice_id = world.invoice_of.get(row["reference"], "")
            owner = self._owner(row)
            came = self.of_invoice[invoice_id] if invoice_id else self.of_wallet[owner.id]
            amount = Decimal(row["amount"])
            came.amounts.append(amount)
            fee = (amount * FEE_RATE).quantize(CENT)
            if row["status"] == "reversed":
                came.reversed += amount
                self.doubtful_fees += fee
            else:
                self.fees += fee
        self.by_wallet: Counter[str] = Counter()
        for person in world.people:
            self._read_wallet(person)
        self.refunded: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in self.rows["refunds"]:
            if row["status"] == "success":
                invoice_id = world.invoice_of.get(row["charge"], "")
                self.refunded[invoice_id] += Decimal(row["amount"])

    def _came(self):
        for row in (*self.rows["charges"], *self.rows["deposits"]):
            if row["status"] in CAME and row["currency"] == CURRENCY:
                yield row

    def _owner(self, row):
        return next(
            one for one in self.world.people if row["to"] == one.email or row["to"] in one.accounts
        )

    def _learn(self):
        """Ask which invoice each charge is of that nobody was answered: a worker's pull."""
        known = self.world.invoice_of
        unknown = {row["to"] for row in self.rows["charges"] if row["reference"] not in known}
        for person in self.world.people:
            if person.email not in unknown:
                continue
            for invoice in self.invoices.values():
                if invoice["customer_id"] == person.id:
                    path = f"/v1/invoices/{invoice['id']}/transactions"
                    for one in self.world.ask(path)["transactions"]:
                        known[one["reference"]] = invoice["id"]
                        if one["kind"] == "pull":
                            self.world.pulls.add(one["reference"])
            for row in self.rows["charges"]:
                if row["to"] == person.email:
                    # An intent is committed before it is sent: what is of no invoice is a wallet's.
                    known.setdefault(row["reference"], "")

    def _read_wallet(self, person):
        """What a wallet paid of invoices: money that had come in excess of earlier ones."""
        path, cursor = f"/v1/wallets/{person.wallet_id}/transactions", ""
        while cursor is not None:
            page = self.world.ask(path, limit=100, cursor=cursor)
            for entry in page["transactions"]:
                if entry["reference_type"] == "invoice":
                    before, after = entry["balance_before"], entry["balance_after"]
                    self.by_wallet[entry["reference_id"]] += Decimal(before) - Decimal(after)
            cursor = page["next_cursor"] or None

    def invoices_of(self, person):
        return [one for one in self.invoices.values() if one["customer_id"] == person.id]

    def balance(self, person):
        """What a customer's wallet has, with what is held of it."""
        wallet = self.world.ask(f"/v1/wallets/{person.wallet_id}")["wallet"]
        return Decimal(wallet["balance"]) + Decimal(wallet["reserved_balance"])


def check_at_any_time(picture):
    """No money is anywhere that did not come, and nothing was taken twice."""
    world = picture.world
    failed = world.ask("/v1/set-aside")["set_aside"]
    assert failed == [], f"work failed: {failed}"
    taken = Counter(row["reference"] for row in picture.rows["charges"] if row["status"] in CAME)
    twice = [one for one, times in taken.items() if times > 1 and one in world.pulls]
    assert not twice, f"pulled twice: {twice}"
    for person in world.people:
        held = picture.balance(person)
        came = picture.of_wallet[person.id].total + person.moved
        for invoice in picture.invoices_of(person):
            paid, total = Decimal(invoice["amount_paid"]), Decimal(invoice["total"])
            own = picture.of_invoice[invoice["id"]].total
            marked = world.marked.get(invoice["id"], ZERO)
            by_wallet = picture.by_wallet[invoice["id"]]
            came += own + marked + world.returned.get(invoice["id"], ZERO)
            pulled = _pulled(picture, invoice)
            assert pulled <= total, f"{pulled} pulled of {total}: {invoice['id']}"
            if invoice["status"] == "void":
                continue
            held += paid
            sources = f"{own} by providers, {marked} elsewhere, {by_wallet} by the wallet"
            assert paid <= min(total, own + marked + by_wallet), f"{paid} of {sources}: {invoice}"
            check_status(invoice)
        assert held <= came, f"{held} are with {person.name}, of whom {came} came"


def _pulled(picture, invoice):
    """What was pulled of an invoice, all tries together."""
    world = picture.world
    return sum(
        Decimal(row["amount"])
        for row in picture.rows["charges"]
        if row["status"] in CAME
        and row["reference"] in world.pulls
        and world.invoice_of[row["reference"]] == invoice["id"]
    )


def check_status(invoice):
    """An invoice's status says what its amounts do."""
    paid, due = Decimal(invoice["amount_paid"]), Decimal(invoice["amount_due"])
    total = Decimal(invoice["total"])
    if invoice["status"] == "draft":
        return
    assert due == total - paid, invoice
    assert (invoice["status"] == "paid") == (due == 0), invoice
    gone = Decimal(invoice["amount_refunded"]) + Decimal(invoice["amount_reversed"])
    assert gone <= paid, invoice


def check_in_the_end(picture):
    """All money that came is where it must be, and the books say so."""
    world = picture.world
    check_at_any_time(picture)
    wallets = ZERO
    for person in world.people:
        expected = picture.of_wallet[person.id].total + person.moved
        slack = picture.of_wallet[person.id].reversed
        for invoice in picture.invoices_of(person):
            came = picture.of_invoice[invoice["id"]]
            slack += came.reversed
            expected += came.total - check_invoice(picture, invoice, came)
            expected += world.returned.get(invoice["id"], ZERO)
        found = picture.balance(person)
        wallets += found
        assert expected - slack <= found <= expected, (
            f"{person.name} has {found} in place of {expected} (reversed: {slack})"
        )
    check_books(picture, wallets)


def check_invoice(picture, invoice, came):
    """An invoice got what came for it, as far as it was due; what it kept of providers' money.

    What a wallet paid of it is the customer's money all the same, and so is not among that: the
    wallet has less by it.
    """
    marked = picture.world.marked.get(invoice["id"], ZERO)
    if invoice["status"] == "void":
        return ZERO
    total, paid = Decimal(invoice["total"]), Decimal(invoice["amount_paid"])
    by_wallet = picture.by_wallet[invoice["id"]]
    wanted = min(total, came.total + marked + by_wallet)
    assert paid == wanted, f"{paid} paid in place of {wanted}: {invoice}"
    refunded = Decimal(invoice["amount_refunded"])
    gone = picture.refunded[invoice["id"]] + picture.world.returned.get(invoice["id"], ZERO)
    assert refunded == gone, f"{refunded} refunded in place of {gone}: {invoice}"
    return paid - marked


def check_books(picture, wallets):
    """The trial balance has what both sides' books have."""
    told = picture.world.ask("/v1/reports/trial-balance")["trial_balance"]["currencies"]
    of_currency = next((one for one in told if one["currency"] == CURRENCY), None)
    assert all(Decimal(one["total"]) == 0 for one in told), told
    found = Counter()
    for one in (of_currency or {"accounts": []})["accounts"]:
        found[one["kind"]] += Decimal(one["balance"])
    due = {"finalized": ZERO, "payment_failed": ZERO, "uncollectible": ZERO}
    for invoice in picture.invoices.values():
        if invoice["status"] in due:
            due[invoice["status"]] += Decimal(invoice["amount_due"])
    assert found["receivable"] == -due["finalized"] - due["payment_failed"], (found, due)
    assert found["bad_debt"] == -due["uncollectible"], (found, due)
    assert found["customer_wallet"] == wallets, (found, wallets)
    assert found["external"] == -sum(picture.world.marked.values(), ZERO), found
    fees = -found["provider_fees"]
    assert picture.fees <= fees <= picture.fees + picture.doubtful_fees, (found, picture.fees)
    parts = (*picture.of_invoice.values(), *picture.of_wallet.values())
    came = sum((one.total for one in parts), ZERO)
    gone = sum((one.reversed for one in parts), ZERO)
    moved = sum((one.moved for one in picture.world.people), ZERO)
    back = sum(picture.refunded.values(), ZERO)
    wanted = gone - came - moved + back + fees
    assert found["provider"] == wanted, (found, wanted)


PAYMENTS = """
    SELECT provider_id, provider, reference, amount, purpose, to_invoice, to_wallet, refunded,
        reversed, invoice_id, wallet_id, kind
    FROM payments WHERE org_id = $1 ORDER BY received_at
"""


def explain(world):
    """What one side's books have and the other's don't, for whoever looks for a fault."""
    rows = world.rows()
    theirs = [row for row in (*rows["charges"], *rows["deposits"]) if row["status"] in CAME]
    ours = world.backend.sql(PAYMENTS, world.api.org_id)
    known = Counter((one["provider"], one["reference"], one["amount"]) for one in ours)
    came = Counter((one["provider"], one["reference"], Decimal(one["amount"])) for one in theirs)
    lines = [f"only there: {one}" for one in came - known]
    lines += [f"only here: {one}" for one in known - came]
    lines += [
        f"goes nowhere: {dict(one)}"
        for one in ours
        if one["amount"] != one["to_invoice"] + one["to_wallet"]
    ]
    lines += [f"not final: {dict(one)}" for one in world.live()]
    return "\n".join(lines)
