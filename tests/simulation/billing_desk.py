"""What a merchant does with invoices and bills, and what the auditor says must come of it."""

import random
from datetime import datetime
from typing import Any

from simulation.billing_books import Frozen
from simulation.billing_invoices import Bill
from simulation.billing_retention import can_be_read
from simulation.billing_story import Story
from simulation.billing_subscriptions import Span, Sub
from simulation.billing_wire import as_read, path_of, told


class Desk(Story):
    """Invoices are drafted, made final, taken back and paid."""

    def draft(self, dice: random.Random) -> None:
        """The draft of a running period is made, or made anew; it charges nothing."""
        sub = self.some_sub(dice)
        if sub is not None:
            self.generate(sub, is_refused=self.period_now(sub) is None)

    def delete_draft(self, dice: random.Random) -> None:
        """A draft is deleted; what has a number stays."""
        known = self.any_invoice(dice, drafts=0.8)
        if known:
            wanted = 200 if known["status"] == "draft" else 409
            path = path_of(known["plan_type"])
            if self.request("delete", f"{path}/{known['id']}", wanted=wanted):
                del self.books.drafts[known["id"]]

    def generate(
        self, sub: Sub, start: datetime | None = None, *, is_refused: bool = False
    ) -> dict[str, Any] | None:
        """Have a draft made."""
        body = {"subscription_id": sub.id, **({"period_start": told(start)} if start else {})}
        is_payout = sub.plan.plan_type == "payout"
        path = "/v1/bills" if is_payout else "/v1/invoices/generate"
        wanted = 404 if sub.deleted else 409 if is_refused else 200
        made = self.request("post", path, body, wanted=wanted)
        if made is None:
            return None
        known = as_read(made["bill" if is_payout else "invoice"])
        self.books.drafts[known["id"]] = known
        return known

    def finalize(self, dice: random.Random) -> None:
        """A draft is made and becomes final, or one that was there."""
        drafts = [*self.books.drafts.values()]
        subs = [sub for sub in self.running() if self.period_now(sub)]
        if dice.random() < 0.1 and self.books.bills:
            self.make_final(self.any_invoice(dice, drafts=0))
        elif drafts and dice.random() < 0.4:
            self.make_final(dice.choice(drafts))
        elif subs:
            self.make_final(self.generate(dice.choice(subs)))

    def make_final(self, draft: dict[str, Any]) -> None:
        """Ask for a draft to become final, and for the rest to be as it must."""
        wanted = 409
        if draft["status"] == "draft":
            sub = self.books.subs[draft["subscription_id"]]
            span = draft["period_start"], draft["period_end"]
            first = sub.first_open()
            is_early = first and first[1] <= self.now and first[0] < span[0]
            frozen = self.books.closed.get((sub.id, span[0]))
            is_lost = frozen is not None and not self.can_be_read(frozen)
            if not is_early and not is_lost:
                is_done = self.books.attempt(lambda: self.write_final(sub.id, span))
                wanted = 200 if is_done else 402
        path = f"{path_of(draft['plan_type'])}/{draft['id']}/finalize"
        self.request("post", path, wanted=wanted)

    def write_final(self, sub_id: str, span: Span) -> bool:
        """Make a draft final in the books; False where a wallet has too little."""
        books, biller, now = self.books, self.biller, self.now
        sub = books.subs[sub_id]
        first = sub.first_open()
        if (sub.id, span[0]) in books.closed:
            bill = biller.blank(sub, span, "closing", now)
            bill.frozen = books.bill_again(sub, span, now)
            books.own_lines(bill, bill.frozen, fee=True)
        elif first and first[1] <= now:
            bill = biller.drawn_up(sub, "close", first, now)
            is_done = biller.make_final(bill, now, must_pay=True)
            if is_done:
                biller.move_on(sub, "close", first, now, is_short=False)
            return is_done
        else:
            span = sub.period_at(span[0])
            bill, frozen = biller.blank(sub, span, "interim", now), books.terms(sub, span, now)
            books.own_lines(bill, frozen, fee=frozen.in_advance)
        books.sums.total_up(bill, books.taxes)
        return biller.make_final(bill, now, must_pay=True)

    def void(self, dice: random.Random) -> None:
        """An invoice is taken back, mostly one of the latest; a paid one can't be."""
        known = self.any_invoice(dice, drafts=0.15)
        if known:
            self.take_back(known)

    def take_back(self, known: dict[str, Any]) -> None:
        """Void an invoice, or throw a draft away."""
        bill = self.books.by_id.get(known["id"])
        is_void = bill is not None and bill.status != "finalized"
        path = f"{path_of(known['plan_type'])}/{known['id']}/void"
        made = self.request("post", path, wanted=409 if is_void else 200)
        if made is None:
            return
        if bill is None:
            del self.books.drafts[known["id"]]
        else:
            self.biller.pay_back(bill)
            self.books.void(bill)

    def regenerate(self, dice: random.Random) -> None:
        """A waived period is billed after all; one that is not, or can't be read, is refused."""
        old = [bill for bill in self.books.with_status("finalized") if self.is_old_closing(bill)]
        if old and dice.random() < 0.5:
            # So that there are some whose events may be gone.
            bill = dice.choice(old)
            self.steps.append("void")
            self.take_back({"id": bill.id, "plan_type": bill.plan_type})
            self.steps.append("regenerate")
        frozen = [known for known in self.books.closed.values() if known.waived]
        if not frozen or dice.random() < 0.1:
            frozen = [*self.books.closed.values()]
        sealed = [known for known in frozen if self.books.is_sealed(known.span)]
        if sealed and dice.random() < 0.5:
            frozen = sealed
        if not frozen:
            return
        chosen = dice.choice(frozen)
        if self.books.is_sealed(chosen.span):
            self.steps.append("regenerate_sealed")
        is_refused = not self.books.is_waived(chosen) or not self.can_be_read(chosen)
        draft = self.generate(chosen.sub, chosen.span[0], is_refused=is_refused)
        if draft and dice.random() < 0.8:
            self.make_final(draft)

    def is_old_closing(self, bill: Bill) -> bool:
        return bill.kind == "closing" and self.books.is_sealed(bill.span)

    def can_be_read(self, frozen: Frozen) -> bool:
        """Whether a closed period's usage is known under the terms of now."""
        now = self.books.terms(frozen.sub, frozen.span, self.now)
        return can_be_read(self.books, now)

    def mark_paid(self, dice: random.Random) -> None:
        """An invoice's money came elsewhere; with `whole`, what wallets paid goes back."""
        known = self.any_invoice(dice, drafts=0.1, plan_type="collection")
        if not known or (known["status"] != "finalized" and dice.random() < 0.5):
            # Refused anyway.
            return
        bill = self.books.by_id.get(known["id"])
        wanted = 200 if bill is not None and bill.status == "finalized" else 409
        body: dict[str, Any] = {"reference": "cash"}
        whole = dice.random() < 0.5
        if whole:
            body["whole"] = True
        path = f"/v1/invoices/{known['id']}/mark-paid"
        if self.request("post", path, body, wanted=wanted) and bill is not None:
            if whole:
                self.biller.pay_back(bill)
            bill.elsewhere = bill.total - bill.paid
            bill.status = "paid"

    def any_invoice(
        self, dice: random.Random, *, drafts: float, plan_type: str = ""
    ) -> dict[str, Any] | None:
        """One of the latest invoices or a draft, by its id and status."""
        bills = self.books.bills
        if dice.random() < 0.8:
            bills = [bill for bill in bills if bill.status == "finalized"] or bills
        known = [
            {"id": bill.id, "status": bill.status, "plan_type": bill.plan_type}
            for bill in bills[-8:]
        ]
        if not known or dice.random() < drafts:
            known = [*self.books.drafts.values()] or known
        known = [each for each in known if plan_type in {"", each["plan_type"]}]
        return dice.choice(known) if known else None

    def period_now(self, sub: Sub) -> Span | None:
        """The period that a draft can be made of now."""
        if self.now < sub.start or sub.status == "canceled":
            return None
        span = sub.period_at(self.now)
        return None if sub.is_trial(span) else span
