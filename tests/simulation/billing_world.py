"""A merchant whose customers live through years of bills, held against the auditor's books."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from monigo.cli.verification import verify_tenant
from simulation.billing_check import (
    brief,
    check_bill,
    check_numbers,
    check_state,
    check_subscription,
    check_wallets,
    difference,
)
from simulation.billing_customers import Customers
from simulation.billing_groups import check_groups, note_groups
from simulation.billing_lifecycle import Lifecycle
from simulation.billing_money import Money
from simulation.billing_time import FIRST_LOOK
from simulation.billing_wire import DAY, HOUR, MICROSECOND, as_read, path_of

# So often everything is read, however old it is; and the newest, even if nothing should be new.
READ_ALL_EVERY = 28
READ_EVERY = 7
# What bills nothing.
QUIET = {
    *("ingest", "fold", "usage", "add_plan", "edit_plan", "override", "end_override"),
    *("set_taxes", "edit_metric", "replay", "move", "draft", "pause"),
}


def in_turn(items: list[Any], owner: Callable[[Any], str]) -> dict[tuple[str, int], Any]:
    """Each item by its customer and its place among that customer's."""
    counts: Counter[str] = Counter()
    found = {}
    for item in items:
        found[owner(item), counts[owner(item)]] = item
        counts[owner(item)] += 1
    return found


class World(Lifecycle, Customers, Money):
    """Everything that may happen. Every operation takes the dice that decide it."""

    def __init__(self, backend, dice: random.Random, tally: Counter) -> None:
        super().__init__(backend, dice, tally)
        self.sent: list[dict[str, Any]] = []
        self.numbers: dict[str, int] = defaultdict(int)
        # As last read: invoices' statuses, and what was left of credits.
        self.statuses: dict[str, str] = {}
        self.left: dict[str, dict[str, Any]] = {}
        self.steps.append("setting up")
        for _ in range(4):
            self.add_plan(dice)

    def act(self, dice: random.Random) -> None:
        """Do something at random, and hold the bills against the books."""
        operations = {
            self.ingest: 30,
            self.advance: 28,
            self.subscribe: 14,
            self.pause: 4,
            self.resume: 5,
            self.cancel: 4,
            self.schedule_cancel: 3,
            self.change_plan: 7,
            self.take_back_change: 3,
            self.add_plan: 2,
            self.edit_plan: 6,
            self.override: 4,
            self.end_override: 1,
            self.draft: 4,
            self.delete_draft: 2,
            self.finalize: 8,
            self.void: 6,
            self.regenerate: 5,
            self.mark_paid: 3,
            self.set_taxes: 2,
            self.edit_metric: 3,
            self.replay: 3,
            self.fold: 3,
            self.charge: 8,
            self.move: 1,
            self.credit: 10,
            self.debit: 3,
            self.usage: 2,
            self.grant: 8,
            self.revoke: 2,
            self.forget: 6,
        }
        chosen = dice.choices(list(operations), weights=list(operations.values()))[0]
        self.steps.append(chosen.__name__)
        chosen(dice)
        is_billing = chosen.__name__ not in QUIET
        if is_billing or len(self.steps) % READ_EVERY == 0:
            self.check(everything=len(self.steps) % READ_ALL_EVERY == 0)

    def advance(self, dice: random.Random) -> None:
        """Time passes: hours, days, rarely half a year; often up to a boundary."""
        to = self.now + dice.choice((HOUR, 5 * HOUR, DAY, 3 * DAY, 10 * DAY, 33 * DAY))
        if dice.random() < 0.04:
            to = self.now + 190 * DAY
        spans = [span for sub in self.running() if (span := sub.first_open())]
        if spans and dice.random() < 0.5:
            edge = dice.choice(spans)[1] + dice.choice((0, 0, -1, 1)) * MICROSECOND
            to = edge if self.now < edge < self.now + 100 * DAY else to
        self.work_off_replays()
        self.advance_to(to)

    # The system, held against the books.

    def check(self, *, everything: bool = False) -> None:
        """Bills, wallets and subscriptions are what the books say."""
        told = self.read(10_000 if everything else 10)
        for plan_type in ("collection", "payout"):
            self.check_new(plan_type, told)
        for known in told.values():
            bill = self.books.by_id.get(known["id"])
            if bill is not None:
                check_state(known, bill)
        self.check_wallets(everything=everything)
        listed = self.ask("get", "/v1/subscriptions?limit=1000")["subscriptions"]
        for each in listed:
            check_subscription(each, self.books.subs[each["id"]], self.now)
        shown = {sub.id for sub in self.books.subs.values() if not sub.deleted}
        assert {each["id"] for each in listed} == shown

    def read(self, limit: int) -> dict[str, dict[str, Any]]:
        """The newest invoices and bills, and those of which the books say that they changed."""
        found: dict[str, dict[str, Any]] = {}
        before = {key: known["plan_type"] for key, known in self.books.drafts.items()}
        before |= {
            bill.id: bill.plan_type
            for bill in self.books.bills
            if bill.id and bill.status != self.statuses.get(bill.id)
        }
        self.books.drafts.clear()
        types = {plan.plan_type for plan in self.books.plans}
        for name in ("invoices", "bills") if "payout" in types else ("invoices",):
            page, wanted = [], limit
            while len(page) < wanted <= 10_000:
                page = self.ask("get", f"/v1/{name}?limit={wanted}")[name]
                # Read on until everything that is new has been seen.
                if len(page) < wanted or page[-1]["id"] in self.books.by_id:
                    break
                wanted *= 4
            drafts = self.ask("get", f"/v1/{name}?status=draft&limit=10000")[name]
            found |= {each["id"]: as_read(each) for each in (*page, *drafts)}
        for known_id in before.keys() - found.keys():
            (invoice,) = self.ask("get", f"{path_of(before[known_id])}/{known_id}").values()
            found[known_id] = as_read(invoice)
        for known in found.values():
            self.statuses[known["id"]] = known["status"]
            if known["status"] == "draft":
                self.books.drafts[known["id"]] = known
        return found

    def check_new(self, plan_type: str, told: dict[str, dict[str, Any]]) -> None:
        """What became final is what the auditor made final, one by one."""
        new = [
            known
            for known in told.values()
            if known["plan_type"] == plan_type
            and known["number"]
            and known["id"] not in self.books.by_id
        ]
        new.sort(key=lambda known: known["number"])
        check_numbers(new, self.numbers)
        bills = [bill for bill in self.books.bills if not bill.id and bill.plan_type == plan_type]
        instants = [known["finalized_at"] for known in new]
        assert instants == sorted(instants), "numbers don't follow the time"
        # Whose of several customers is numbered first at one instant is left open.
        told_of = in_turn(new, lambda known: known["customer_id"])
        known_of = in_turn(bills, lambda bill: bill.sub.customer)
        pairs = [(told_of[turn], known_of[turn]) for turn in told_of if turn in known_of]
        for known, bill in pairs:
            check_bill(known, bill)
            note_groups(known, bill)
            check_groups(self.books, bill)
            bill.id = known["id"]
            starts = {line["period_start"] for line in known["line_items"]}
            bill.carries = starts > {bill.span[0]}
            self.books.by_id[bill.id] = bill
        assert told_of.keys() == known_of.keys(), (
            [brief(told_of[turn]) for turn in told_of if turn not in known_of],
            *(str(known_of[turn]) for turn in known_of if turn not in told_of),
        )

    def check_wallets(self, *, everything: bool) -> None:
        wallets = self.ask("get", "/v1/wallets?limit=1000")["wallets"]
        check_wallets(self.books, {wallet["id"]: wallet for wallet in wallets})
        for wallet in self.books.wallets.values():
            left = {grant.id: grant.remaining for grant in wallet.grants}
            expiring = [
                grant
                for grant in wallet.grants
                if grant.remaining and self.biller.may_be_swept(wallet, grant, self.now)
            ]
            if left and (everything or expiring or left != self.left.get(wallet.id)):
                told = self.ask("get", f"/v1/wallets/{wallet.id}/credits?limit=1000")["credits"]
                found = {each["id"]: Fraction(each["remaining"]) for each in told}
                for grant in expiring:
                    # When it is looked at is the system's own affair.
                    if not found[grant.id]:
                        left[grant.id] = grant.remaining = Fraction(0)
                assert found == left, difference(found, left, wallet)
                self.left[wallet.id] = left

    def finish(self) -> None:
        """Everything ends; what came late is told, and nothing is left over."""
        self.steps.append("finish")
        for sub in self.running():
            self.end(sub)
        self.check()
        self.work_off_replays()
        self.advance_to(self.now + FIRST_LOOK + 2 * DAY)
        self.check(everything=True)
        late = self.api.backend.sql(
            "SELECT count(*) FROM agenda"
            " WHERE org_id = $1 AND kind = 'period_close' AND due_at <= $2",
            self.api.org_id,
            self.now,
        )
        assert late[0][0] == 0, "something is still due"
        services = self.api.backend.services
        found = self.api.backend.run(verify_tenant(services.database, self.api.tenant))
        differences = [one for each in found for one in each.differences]
        assert differences == [], differences
        self.api.http.close()
