"""Each call of payouts with each fault, and with the death of its process at each moment."""

from datetime import timedelta
from itertools import product

from msgspec import Struct

from simulation.payout_auditor import Picture, check_at_any_time
from simulation.payout_story import OTP, REVERSING, PayoutStory
from support.cuts import CUTS
from support.payments import PROVIDERS

CALLS = ("transfer", "bulk", "balance", "recipients", "lookup", "authorize")
FAULTS = (
    *("success", "failed", "pending", "needs_action", "wrong_amount", "reversed"),
    *("drop_after_commit", "drop_before", "not_found", "duplicate_reference"),
    *("500", "429", "200_error", "not_json"),
)
POSTS = ("lost", "once", "duplicate", "late", "reordered", "early")
# Of so many cells the suite tries one: no step of any of the tables has this length.
STRIDE = 53
# What is said in answer to a question is true, whatever is scripted.
OF_QUESTIONS = {"success", "failed", "wrong_amount"}
CHECKED_EVERY = 20
# By then unused passwords have lapsed, and the same may go to the same account again.
PAUSE = timedelta(minutes=31)
RIDES_BEFORE = 50


class Cell(Struct, frozen=True):
    """One call, and what goes wrong with it."""

    provider: str
    call: str
    fault: str
    cut: str
    post: str

    @property
    def is_spoilt(self):
        """Whether the fault is one of this call's answers."""
        is_question = self.call in {"balance", "recipients", "lookup", "authorize"}
        return self.fault != "reversed" and not (is_question and self.fault in OF_QUESTIONS)


def cells(provider, *, are_all):
    """The cells of a provider: all of them, or a part in which each fault and moment occurs."""
    table = product(CALLS, FAULTS, ("", *CUTS))
    made = [
        Cell(provider, call, fault, cut, POSTS[place % len(POSTS)])
        for place, (call, fault, cut) in enumerate(table)
    ]
    first = 7 * PROVIDERS.index(provider)
    return made if are_all else made[first::STRIDE]


class Matrix(PayoutStory):
    """A merchant whose drivers are paid out by themselves; calls go wrong as the cells say."""

    def __init__(self, backend, dice, provider):
        super().__init__(backend, dice, people=3, is_split=False)
        self.provider = provider
        self.choose_provider(provider)
        self.patch(minimum_payout_amount="0")
        for person in self.people:
            self.pay_by_hand(self.owe(person, RIDES_BEFORE))
        self.settle_pending()
        self.advance(timedelta(days=2))
        self.mailbox.waiting.clear()

    def pay_by_hand(self, bill):
        return self.request(f"/v1/bills/{bill['id']}/initiate-payout")

    def settle_pending(self):
        """What waits at the provider arrives, but what waits for a password."""
        for row in self.rows():
            if row["status"] == "pending":
                self.settle(row, "success")

    def run(self, cell):
        """Have a cell's call go wrong, and the process come to life again."""
        self.steps.append(str(cell))
        prepared = getattr(self, f"_prepare_{cell.call}")()
        if cell.post == "early":
            self.mailbox.early = 1
        if cell.is_spoilt:
            self.simulated.next(self.provider, cell.call, cell.fault)
        if cell.cut:
            self.cutter.at(cell.cut, cell.call)
        prepared()
        self.cutter.disarm()
        self.work()
        self.cutter.release()
        self.mailbox.early = 0
        self.settle_pending()
        if cell.fault == "reversed" and self.provider in REVERSING:
            newest = [row for row in self.rows() if row["status"] == "success"][-1]
            self.settle(newest, "reversed")
        self.deliver_as(cell.post)
        self.clear_scripts()
        self.advance(PAUSE)
        self.settle_pending()

    def _prepare_transfer(self):
        self.patch(test_payout_mode="approval")
        bill = self.owe(self.people[0], 2)
        return lambda: self.pay_by_hand(bill)

    def _prepare_bulk(self):
        self.patch(test_payout_mode="automatic")
        for rides, person in enumerate(self.people, 1):
            self.owe(person, rides)
        return self.work

    _prepare_balance = _prepare_recipients = _prepare_bulk

    def _prepare_lookup(self):
        pay = self._prepare_transfer()
        self.simulated.next(self.provider, "transfer", "drop_after_commit")

        def ask():
            pay()
            self.advance(timedelta(seconds=31))

        return ask

    def _prepare_authorize(self):
        self.simulated.next(self.provider, "transfer", "needs_action")
        pay = self._prepare_transfer()

        def enter():
            made = pay()
            if made is not None:
                bill, (one,) = made["bill"], made["transactions"]
                path = f"/v1/bills/{bill['id']}/transactions/{one['id']}/authorize"
                self.send("POST", path, {"otp": OTP})

        return enter

    def _keyed(self, path, body, key):
        """As a client that sees what it was answered."""
        answer = self.send("POST", path, body, key=key)
        if answer is None:
            self.unanswered.append((path, body, key))
            return None
        return answer.json() if answer.is_success else None


def try_all(backend, dice, chosen):
    """Try the cells of one provider, and hold it all against the books in the end."""
    with Matrix(backend, dice, chosen[0].provider) as world:
        try:
            for place, cell in enumerate(chosen, 1):
                world.run(cell)
                if place % CHECKED_EVERY == 0:
                    check_at_any_time(Picture(world))
            world.end()
        except BaseException as error:
            error.add_note("\n".join(world.steps[-3:]))
            raise
        finally:
            backend.clock.reset()
