"""What may happen to a merchant's money, one thing after the other, as the dice decide."""

from datetime import timedelta
from decimal import Decimal

from simulation.money_auditor import Picture, check_at_any_time, check_in_the_end
from simulation.money_world import World
from support.cuts import CUTS
from support.payments import PROVIDERS
from support.verification import faults as differences

VERBS = ("charge", "checkout", "refund", "virtual_account", "lookup", "list_refunds")
FAULTS = (
    *("success", "failed", "pending", "needs_action", "wrong_amount"),
    *("drop_after_commit", "drop_before", "not_found", "duplicate_reference"),
    *("500", "429", "200_error", "not_json"),
)
# What providers say of what was is never a lie, only late or lost.
OF_QUESTIONS = tuple(one for one in FAULTS if one not in {"success", "failed", "wrong_amount"})
OUTAGES = ("500", "drop_before", "drop_after_commit", "429")
CARDS = ("4084084084084081", "507850785078507812", "5531886652142950", "507850785078507853")
DECLINED = ("4084080000005408", "4084080000670037", "5590131743294314")
PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (1, 6, 31)),
    *(timedelta(minutes=minutes) for minutes in (2, 6, 20)),
    *(timedelta(hours=hours) for hours in (1, 5, 25)),
    timedelta(days=3),
)
CHECKED_EVERY = 8
# By then all is final that time alone makes so: dunning, links, questions.
DRAINED_BY = (
    *(timedelta(seconds=seconds) for seconds in (0, 31, 61, 400, 400, 1000)),
    *(timedelta(hours=1) for _ in range(4)),
    *(timedelta(hours=26) for _ in range(9)),
)


class Story(World):
    """Everything that may happen; `end` lets it all come to rest and holds it against the books."""

    def act(self):
        """Do something at random, and every few steps look at all of it."""
        operations = {
            self.bill: 16,
            self.make_link: 10,
            self.pay_link: 16,
            self.fund_wallet: 5,
            self.set_up_card: 7,
            self.open_account: 3,
            self.deposit: 5,
            self.set_top_up: 2,
            self.spend: 5,
            self.refund: 6,
            self.retry: 3,
            self.void: 3,
            self.mark_paid: 2,
            self.toggle: 2,
            self.choose_card: 2,
            self.remove_card: 1,
            self.deliver: 12,
            self.lose: 3,
            self.hurry: 2,
            self.spoil: 8,
            self.have_outage: 1,
            self.decide_pending: 5,
            self.reverse: 1,
            self.die: 6,
            self.arrive_late: 4,
            self.ask_again: 6,
            self.wait: 20,
            self.work_once: 12,
        }
        chosen = self.dice.choices(list(operations), weights=list(operations.values()))[0]
        self.steps.append(chosen.__name__)
        chosen()
        if len(self.steps) % CHECKED_EVERY == 0:
            check_at_any_time(Picture(self))

    def someone(self):
        return self.dice.choice(self.people)

    def some_invoice(self, *statuses):
        found = [one for one in self.invoices() if not statuses or one["status"] in statuses]
        return self.dice.choice(found) if found else None

    def amount(self):
        return str(self.dice.choice((100, 150, 250, 1000, 2500)))

    # What merchants and customers ask for.

    def bill(self):
        """Usage becomes a final invoice."""
        self.owe(self.someone(), self.dice.randint(1, 9))

    def make_link(self):
        """A link for an invoice, whatever its status."""
        invoice = self.some_invoice() if self.dice.random() < 0.2 else None
        invoice = invoice or self.some_invoice("finalized", "payment_failed", "uncollectible")
        if invoice is not None:
            body = {"provider": self.dice.choice(PROVIDERS)}
            if self.dice.random() < 0.3:
                body["save_method"] = True
            self.request(f"/v1/invoices/{invoice['id']}/initiate-payment", body)

    def pay_link(self):
        """A link is paid: as asked, too little or too much, again, or in vain; also an old one."""
        if not self.links:
            return
        newest = self.links[-4:]
        provider, reference = self.dice.choice(self.links if self.dice.random() < 0.2 else newest)
        how = {"method": self.dice.choice((*CARDS, *CARDS, *DECLINED, "bank_transfer"))}
        if self.dice.random() < 0.25:
            how["amount"] = self.amount()
        self.pay(provider, reference, **how)
        if self.dice.random() < 0.1:
            self.pay(provider, reference, **how)

    def fund_wallet(self):
        """A link by which a wallet is paid into."""
        body = {"amount": self.amount(), "provider": self.dice.choice(PROVIDERS)}
        self.request(f"/v1/wallets/{self.someone().wallet_id}/fund", body)

    def set_up_card(self):
        """A customer saves a card; mostly it is paid for at once."""
        provider = self.dice.choice(PROVIDERS)
        path = f"/v1/customers/{self.someone().id}/payment-methods/setup"
        made = self.request(path, {"provider": provider})
        if made is not None and self.dice.random() < 0.8:
            self.pay(provider, made["reference"], method=self.dice.choice(CARDS))

    def open_account(self):
        """A bank account whose deposits fund a wallet."""
        body = {"provider": self.dice.choice(PROVIDERS), "currency": "NGN", "bvn": "22222222222"}
        self.request(f"/v1/wallets/{self.someone().wallet_id}/virtual-accounts", body)

    def deposit(self):
        """Money comes into an account by itself, sometimes in another currency."""
        found = [(number, one) for person in self.people for number, one in person.accounts.items()]
        if found:
            number, provider = self.dice.choice(found)
            currency = "USD" if provider == "paystack" and self.dice.random() < 0.1 else "NGN"
            self.simulated.control(
                "deposit",
                provider=provider,
                account_number=number,
                amount=self.amount(),
                currency=currency,
            )

    def set_top_up(self):
        """A wallet asks for money by itself."""
        body = {"threshold": "500", "amount": "1000", "monthly_limit": "20000"}
        path = f"/v1/wallets/{self.someone().wallet_id}/auto-top-up"
        self.note(self.send("PUT", path, body))

    def spend(self):
        """The merchant takes money out of a wallet by hand, or puts some in."""
        person, amount = self.someone(), Decimal(self.amount())
        is_in = self.dice.random() < 0.3
        self.keys += 1
        body = {
            "amount": str(amount),
            "currency": "NGN",
            "entry_type": "deposit" if is_in else "withdrawal",
            "idempotency_key": f"move-{self.keys}",
        }
        way = "credit" if is_in else "debit"
        answer = self.send("POST", f"/v1/wallets/{person.wallet_id}/{way}", body)
        if self.note(answer):
            person.moved += amount if is_in else -amount

    def refund(self):
        """Money goes back, sometimes more than there is."""
        invoice = self.some_invoice("paid")
        if invoice is not None:
            body = {"reason": "as the dice say"}
            if self.dice.random() < 0.7:
                body["amount"] = str(self.dice.choice((50, 100, 107, 250, 1000)))
            is_to_wallet = self.dice.random() < 0.2
            if is_to_wallet:
                body["to"] = "wallet"
            made = self.request(f"/v1/invoices/{invoice['id']}/refunds", body)
            if made is not None and is_to_wallet:
                before = self.returned.get(invoice["id"], Decimal(0))
                self.returned[invoice["id"]] = before + Decimal(made["refund"]["amount"])

    def retry(self):
        """What failed is tried again."""
        invoice = self.some_invoice("finalized", "payment_failed", "uncollectible")
        if invoice is None:
            return
        path = f"/v1/invoices/{invoice['id']}/transactions"
        failed = [one for one in self.ask(path)["transactions"] if one["status"] == "failed"]
        if failed:
            self.request(f"{path}/{self.dice.choice(failed)['id']}/retry")

    def void(self):
        """An invoice is void."""
        invoice = self.some_invoice("finalized", "payment_failed", "uncollectible")
        if invoice is not None:
            self.note(self.send("POST", f"/v1/invoices/{invoice['id']}/void"))

    def mark_paid(self):
        """What is due was received elsewhere."""
        invoice = self.some_invoice("finalized", "payment_failed", "uncollectible")
        if invoice is not None:
            path = f"/v1/invoices/{invoice['id']}/mark-paid"
            answer = self.send("POST", path, {"reference": "cash"})
            if self.note(answer):
                # What came meanwhile is in the answer's own amounts.
                before = self.marked.get(invoice["id"], Decimal(0))
                self.marked[invoice["id"]] = before + Decimal(invoice["amount_due"])

    def toggle(self):
        """A connection is switched off, and on again."""
        connection = self.connections[self.dice.choice(PROVIDERS)]
        path = f"/v1/payment-connections/{connection['id']}/toggle"
        self.note(self.send("POST", path))
        if self.dice.random() < 0.6:
            self.note(self.send("POST", path))

    def _cards(self, person):
        return self.ask(f"/v1/customers/{person.id}/payment-methods")["payment_methods"]

    def choose_card(self):
        """Another card is the default."""
        person = self.someone()
        cards = self._cards(person)
        if cards:
            card = self.dice.choice(cards)["id"]
            path = f"/v1/customers/{person.id}/payment-methods/{card}/default"
            self.note(self.send("PUT", path))

    def remove_card(self):
        """A card is charged no more."""
        person = self.someone()
        cards = self._cards(person)
        if cards:
            card = self.dice.choice(cards)["id"]
            path = f"/v1/customers/{person.id}/payment-methods/{card}"
            self.note(self.send("DELETE", path))

    # What goes wrong.

    def spoil(self):
        """A provider's next answers go wrong."""
        provider, verb = self.dice.choice(PROVIDERS), self.dice.choice(VERBS)
        faults = OF_QUESTIONS if verb in {"lookup", "list_refunds"} else FAULTS
        outcome, times = self.dice.choice(faults), self.dice.choice((1, 1, 2, 4))
        self.tell(f"{provider} {verb} {outcome} {times} times")
        self.simulated.next(provider, verb, outcome, times=times)

    def have_outage(self):
        """A provider is away for a while."""
        provider, outcome = self.dice.choice(PROVIDERS), self.dice.choice(OUTAGES)
        self.tell(f"{provider} {outcome}")
        for verb in VERBS:
            self.simulated.next(provider, verb, outcome, times=self.dice.randint(3, 12))

    def decide_pending(self):
        """What waits at a provider ends."""
        rows = self.rows()
        waiting = [
            row for row in (*rows["charges"], *rows["refunds"]) if row["status"] == "pending"
        ]
        if waiting:
            self.settle(self.dice.choice(waiting), self.dice.choice(("success", "failed")))

    def reverse(self):
        """A provider takes back what it had taken."""
        rows = self.rows()
        gone = {row["charge"] for row in rows["refunds"]}
        found = [
            row
            for row in rows["charges"]
            if row["status"] == "success" and row["reference"] not in gone
        ]
        if found:
            self.settle(self.dice.choice(found), "reversed")

    def die(self):
        """The process dies at its next call to a provider."""
        verbs = ("charge", "checkout", "refund", "virtual_account", "lookup")
        wanted = verbs if self.dice.random() < 0.5 else [self.dice.choice(verbs)]
        self.cutter.at(self.dice.choice(CUTS), *wanted)

    def arrive_late(self):
        """What a dead process had sent arrives."""
        self.cutter.release()

    def ask_again(self):
        """A client repeats what it got no answer to."""
        self.repeat()

    def wait(self):
        """Time goes by."""
        pause = self.dice.choice(PAUSES)
        if pause > timedelta(minutes=4):
            # No request is on its way for so long.
            self.cutter.release()
        self.advance(pause)

    def work_once(self):
        """Workers do what is due."""
        self.work()

    # The end.

    def end(self):
        """Everything comes to rest, and all money is where it must be."""
        self.steps.append("end")
        self.cutter.disarm()
        self.cutter.release()
        self.clear_scripts()
        for provider, connection in self.connections.items():
            shown = self.ask(f"/v1/payment-connections/{connection['id']}")["payment_connection"]
            if not shown["is_enabled"]:
                path = f"/v1/payment-connections/{connection['id']}/toggle"
                assert self.send("POST", path).is_success, provider
        while self.unanswered:
            self.advance(timedelta(seconds=61))
            self.repeat()
        for pause in DRAINED_BY:
            self.deliver()
            self.advance(pause)
        self.decide_stuck()
        self.advance(timedelta(hours=26))
        assert self.live() == [], self.live()
        check_in_the_end(Picture(self))
        assert differences(self.backend, self.api.tenant) == []

    def decide_stuck(self):
        """An operator looks up at the provider what nobody can know, and says so."""
        rows = self.rows()
        for one in self.live():
            assert one["needs_person_at"] is not None, f"nobody asks about it any more: {one}"
            kind = "charges" if one["what"] == "charge" else "refunds"
            found = [
                row
                for row in rows[kind]
                if row["reference"] == one["reference"] and row["status"] == "success"
            ]
            body = {"outcome": "succeeded" if found else "failed", "note": "as its pages show"}
            if found:
                body["provider_id"] = str(found[0]["id"])
            answer = self.send("POST", f"/v1/transactions/{one['id']}/resolve", body)
            assert answer.is_success, answer.text
