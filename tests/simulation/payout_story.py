"""What may happen to what a merchant owes, one thing after the other, as the dice decide."""

from datetime import timedelta
from decimal import Decimal

from simulation.money_story import OUTAGES, PAUSES
from simulation.payout_auditor import Picture, check_at_any_time, check_in_the_end
from simulation.payout_world import CLOSED, VERBS, PayoutWorld
from support.cuts import CUTS
from support.payments import PROVIDERS
from support.verification import faults as differences

FAULTS = (
    *("success", "failed", "pending", "needs_action", "needs_action"),
    *("drop_after_commit", "drop_before", "not_found", "duplicate_reference"),
    *("500", "429", "200_error", "not_json"),
)
SENT_BY = ("transfer", "bulk")
# What providers say of what was is never a lie, only late or lost.
OF_QUESTIONS = tuple(one for one in FAULTS if one not in {"success", "failed"})
OTP = "123456"
CHECKED_EVERY = 8
# Flutterwave never says that a transfer came back; it pays the merchant, who looks at its pages.
REVERSING = ("paystack", "monnify")
# What arrived longer ago stays where it is.
REVERSED_WITHIN = timedelta(days=6)
A_DAY = (timedelta(minutes=3), timedelta(minutes=20), timedelta(hours=5), timedelta(hours=20))
DRAINED_BY = (
    *(timedelta(seconds=seconds) for seconds in (31, 61, 400, 1000)),
    *(timedelta(hours=hours) for hours in (1, 2, 26, 26, 26)),
)
GIVEN = (timedelta(seconds=31), timedelta(minutes=10), timedelta(hours=2))
# What fails is sent again by somebody, so often at most before nothing helps.
TRIES_MAX = 6


class PayoutStory(PayoutWorld):
    """Everything that may happen; `end` lets it all come to rest and holds it against the books."""

    def act(self):
        """Do something at random, and every few steps look at all of it."""
        operations = {
            self.bill: 18,
            self.initiate: 16,
            self.retry: 6,
            self.authorize: 5,
            self.resend_otp: 1,
            self.hold: 3,
            self.release: 4,
            self.void: 2,
            self.go_by_themselves: 4,
            self.change_account: 3,
            self.change_provider: 4,
            self.toggle: 1,
            self.run_short: 2,
            self.deliver: 12,
            self.lose: 3,
            self.hurry: 2,
            self.spoil: 12,
            self.be_away_for_a_day: 1,
            self.decide_pending: 8,
            self.reverse: 3,
            self.die: 7,
            self.arrive_late: 4,
            self.ask_again: 6,
            self.wait: 18,
            self.work_once: 10,
        }
        chosen = self.dice.choices(list(operations), weights=list(operations.values()))[0]
        self.steps.append(chosen.__name__)
        chosen()
        if len(self.steps) % CHECKED_EVERY == 0:
            check_at_any_time(Picture(self))

    def pick(self, found):
        """One of some; the dice are thrown once, however many there are."""
        place = self.dice.random()
        return found[int(place * len(found))] if found else None

    def some_bill(self, *statuses):
        return self.pick([one for one in self.bills() if one["status"] in statuses])

    def some_transaction(self, is_wanted):
        """A bill and a transaction of it."""
        found = [
            (bill, one)
            for bill in self.bills()
            if bill["status"] in {"finalized", "payout_failed"}
            for one in self.transactions(bill)
            if is_wanted(one)
        ]
        return self.pick(found) or (None, None)

    # What the merchant does.

    def bill(self):
        """Rides become a final bill."""
        self.owe(self.pick(self.people), self.dice.randint(1, 9))

    def initiate(self):
        """A bill is paid out, whatever its status."""
        statuses = ("finalized", "payout_failed")
        if self.dice.random() < 0.1:
            statuses = ("paid", "voided")
        bill = self.some_bill(*statuses)
        if bill is not None:
            self.request(f"/v1/bills/{bill['id']}/initiate-payout")

    def retry(self):
        """What failed or came back is sent again."""
        bill, one = self.some_transaction(lambda one: one["status"] in {"failed", "reversed"})
        if bill is not None:
            self.request(f"/v1/bills/{bill['id']}/transactions/{one['id']}/retry")

    def authorize(self):
        """The merchant enters the password that a provider sent, or a wrong one."""
        bill, one = self.some_transaction(lambda one: one["needs_otp"])
        otp = OTP if self.dice.random() < 0.7 else "654321"
        if bill is not None:
            path = f"/v1/bills/{bill['id']}/transactions/{one['id']}/authorize"
            self.request(path, {"otp": otp})

    def resend_otp(self):
        """The merchant wants another password."""
        bill, one = self.some_transaction(lambda one: one["needs_otp"])
        if bill is not None:
            self.request(f"/v1/bills/{bill['id']}/transactions/{one['id']}/resend-otp")

    def hold(self):
        """A payout is held."""
        bill = self.some_bill("finalized", "payout_failed")
        if bill is not None:
            path = f"/v1/bills/{bill['id']}/hold"
            self.note(self.send("POST", path, {"reason": "a doubt"}))

    def release(self):
        """A payout that was held goes on."""
        bill = self.pick([one for one in self.bills() if one["held_at"]])
        if bill is not None:
            self.note(self.send("POST", f"/v1/bills/{bill['id']}/release"))

    def void(self):
        """A bill is void."""
        bill = self.some_bill("finalized", "payout_failed")
        if bill is not None:
            self.note(self.send("POST", f"/v1/bills/{bill['id']}/void"))

    def go_by_themselves(self):
        """Payouts go by themselves, or wait for somebody."""
        self.patch(test_payout_mode=self.pick(("automatic", "automatic", "approval")))

    def change_account(self):
        """A driver has another account, sometimes a closed one."""
        number = CLOSED if self.dice.random() < 0.4 else ""
        self.open_account(self.pick(self.people), number)

    def change_provider(self):
        """New transfers go through another provider."""
        self.choose_provider(self.pick(PROVIDERS))

    def toggle(self):
        """A connection is switched off, and mostly on again."""
        connection = self.connections[self.pick(PROVIDERS)]
        path = f"/v1/payment-connections/{connection['id']}/toggle"
        self.note(self.send("POST", path))
        if self.dice.random() < 0.7:
            self.note(self.send("POST", path))

    def run_short(self):
        """The merchant has too little at a provider, or enough again."""
        provider = self.pick(PROVIDERS)
        if self.dice.random() < 0.5:
            self.fund(provider, self.pick(("0", "150", "700")))
        else:
            self.fund(provider)

    # What goes wrong.

    def spoil(self):
        """A provider's next answers go wrong."""
        is_sent = self.dice.random() < 0.6
        provider, verb = self.pick(PROVIDERS), self.pick(SENT_BY if is_sent else VERBS)
        faults = FAULTS if verb in SENT_BY else OF_QUESTIONS
        outcome, times = self.pick(faults), self.pick((1, 1, 2, 4))
        self.tell(f"{provider} {verb} {outcome} {times} times")
        self.simulated.next(provider, verb, outcome, times=times)

    def be_away_for_a_day(self):
        """A provider answers nothing for a day, and is there again."""
        provider, outcome = self.pick(PROVIDERS), self.pick(OUTAGES)
        self.tell(f"{provider} {outcome}")
        for verb in VERBS:
            self.simulated.next(provider, verb, outcome, times=10_000)
        for pause in A_DAY:
            self.wait_for(pause)
        self.clear_scripts()

    def decide_pending(self):
        """What waits at a provider ends, well or not."""
        row = self.pick([one for one in self.rows() if one["status"] in {"pending", "otp"}])
        status = self.pick(("success", "success", "success", "failed"))
        if row is not None:
            self.settle(row, status)

    def reverse(self):
        """What arrived comes back, at once or days later."""
        since = self.backend.clock.now() - REVERSED_WITHIN
        row = self.pick(
            [
                one
                for one in self.rows()
                if one["status"] == "success"
                and one["provider"] in REVERSING
                and self.seen_at[one["reference"]] > since
            ]
        )
        if row is not None:
            self.settle(row, "reversed")

    def die(self):
        """The process dies at its next call to a provider."""
        wanted = VERBS if self.dice.random() < 0.4 else [self.pick(VERBS)]
        self.cutter.at(self.pick(CUTS), *wanted)

    def arrive_late(self):
        """What a dead process had sent arrives."""
        self.cutter.release()

    def ask_again(self):
        """A client repeats what it got no answer to."""
        self.repeat()

    def wait(self):
        """Time goes by."""
        self.wait_for(self.pick(PAUSES))

    def wait_for(self, pause):
        if pause > timedelta(minutes=4):
            # No request is on its way for so long.
            self.cutter.release()
        self.advance(pause)

    def work_once(self):
        """Workers do what is due."""
        self.work()

    # The end.

    def end(self):
        """Everything comes to rest, and all that is owed is where it must be."""
        self.steps.append("end")
        self.cutter.disarm()
        self.cutter.release()
        self.clear_scripts()
        for provider, connection in self.connections.items():
            self.fund(provider)
            shown = self.ask(f"/v1/payment-connections/{connection['id']}")["payment_connection"]
            if not shown["is_enabled"]:
                path = f"/v1/payment-connections/{connection['id']}/toggle"
                assert self.send("POST", path).is_success, provider
        self.patch(test_payout_mode="approval")
        while self.unanswered:
            self.advance(timedelta(seconds=61))
            self.repeat()
        self.come_to_rest(DRAINED_BY)
        for person in self.people:
            self.open_account(person)
        for one in self.bills():
            if one["held_at"]:
                self.send("POST", f"/v1/bills/{one['id']}/release")
        for _ in range(TRIES_MAX):
            if not self.send_what_is_owed():
                break
            self.come_to_rest(GIVEN)
        self.advance(timedelta(hours=26))
        self.advance(timedelta(hours=26))
        assert self.live() == [], self.live()
        check_in_the_end(Picture(self))
        assert differences(self.backend, self.api.tenant) == []

    def come_to_rest(self, pauses):
        """What waits at providers ends, and everybody hears of it."""
        for pause in pauses:
            for row in self.rows():
                if row["status"] in {"pending", "otp"}:
                    self.settle(row, "success")
            self.deliver()
            self.advance(pause)
        self.decide_stuck()

    def send_what_is_owed(self):
        """Somebody initiates what is not paid; how much that was."""
        owed = [one for one in self.bills() if one["status"] in {"finalized", "payout_failed"}]
        for one in owed:
            # It may have gone with another one meanwhile.
            self.request(f"/v1/bills/{one['id']}/initiate-payout")
        return len(owed)

    def decide_stuck(self):
        """An operator looks up at the provider what nobody can know, and says so."""
        arrived = {row["reference"]: row for row in self.rows() if row["status"] == "success"}
        for one in self.live():
            if one["state"] == "created":
                continue
            assert one["needs_person_at"] is not None, f"nobody asks about it any more: {one}"
            row = arrived.get(one["reference"])
            if row and Decimal(row["amount"]) != one["amount"]:
                # The provider takes back what was not asked for.
                self.settle(row, "reversed")
                row = None
            body = {"outcome": "succeeded" if row else "failed", "note": "as its pages show"}
            if row:
                body["provider_id"] = str(row["id"])
            answer = self.send("POST", f"/v1/transactions/{one['id']}/resolve", body)
            assert answer.is_success, answer.text
