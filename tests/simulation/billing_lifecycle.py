"""What a merchant does with subscriptions, and what the auditor says must come of it."""

import random
from datetime import datetime, timedelta
from typing import Any

from simulation.billing_calendar import days_on, hour_of
from simulation.billing_story import Story
from simulation.billing_subscriptions import Phase, Plan, Sub
from simulation.billing_wire import DAY, HOUR, MICROSECOND, told

BACKDATED_MAX = 90 * DAY


class Lifecycle(Story):
    """Subscriptions begin, pause, change and end."""

    def subscribe(self, dice: random.Random) -> None:
        """A customer starts on a plan: at the hour, earlier or later, maybe for a limited time."""
        plan, customer = dice.choice(self.books.plans), dice.choice(self.customers)
        fits = plan.billing_period not in {"daily", "weekly"}
        anchor = dice.choice(("subscription_start", "month_start")) if fits else ""
        start, wanted = self.start(dice, plan, customer)
        begins = start or self.hour_start(plan, customer)
        end = None
        if dice.random() < 0.1:
            end = max(begins, self.now) + dice.randint(0, 200) * DAY
            wanted = 400 if end <= max(begins, self.now) else wanted
        days = dice.choice((None, None, None, 0, 5))
        if self.is_trial_unclear(customer):
            days = days or 0
        body: dict[str, Any] = {
            "customer_id": customer,
            "plan_id": plan.id,
            "billing_anchor": anchor or None,
            "start_date": told(start) if start else None,
            "end_date": told(end) if end else None,
            "trial_period_days": days,
        }
        made = self.request("post", "/v1/subscriptions", body, wanted=wanted)
        if made is not None:
            made = made["subscription"]
            sub = Sub(
                id=made["id"],
                customer=customer,
                zone=self.zone,
                anchor_kind=anchor,
                start=begins,
                end_date=end,
                trial_end=None,
                trial_plan=plan,
                phases=[],
                closed_until=begins,
                is_new=begins > self.now,
            )
            self.begin(sub, plan, days)

    def start(self, dice: random.Random, plan: Plan, customer: str) -> tuple[datetime | None, int]:
        """When a subscription is to start, and how that must be answered."""
        last = self.books.taken_until(customer, plan.plan_type, self.now)
        is_taken = self.books.is_taken(customer, plan.plan_type)
        if is_taken and dice.random() < 0.7:
            # Mostly refused anyway.
            return None, 409
        back = 9 if plan.billing_period == "daily" else 80
        start: datetime | None = self.now + dice.choice((0, -1, -1, 1)) * dice.randrange(back) * DAY
        start -= dice.choice((0, 1)) * timedelta(seconds=dice.randrange(70_000))
        if dice.random() < 0.35:
            start = None
        elif last and abs(last - self.now) < BACKDATED_MAX - DAY and dice.random() < 0.5:
            start = last + dice.choice((0, 0, -1, 1)) * MICROSECOND
        elif dice.random() < 0.03:
            return self.now - BACKDATED_MAX - HOUR, 400
        if start is not None and start < self.now - BACKDATED_MAX:
            return start, 400
        overlaps = start is not None and last is not None and start < last
        return start, 409 if is_taken or overlaps else 200

    def hour_start(self, plan: Plan, customer: str) -> datetime:
        """When a subscription begins that is told no start."""
        last = self.books.taken_until(customer, plan.plan_type, self.now)
        return max(hour_of(self.now, self.zone), last or hour_of(self.now, self.zone))

    def is_trial_unclear(self, customer: str) -> bool:
        """Whether a plan was only come to during another one's trial."""
        return any(
            sub.customer == customer
            and sub.trial_end is not None
            and sub.phases[0].plan is not sub.trial_plan
            for sub in self.books.subs.values()
        )

    def begin(self, sub: Sub, plan: Plan, days: int | None) -> None:
        """Enter a subscription into the books; `days` of trial, unless the plan says how many."""
        if days is None:
            had = any(
                other.customer == sub.customer and other.had_trial(plan, self.now)
                for other in self.books.subs.values()
            )
            days = 0 if had else plan.trial_days
        sub.trial_end = days_on(sub.start, days, sub.zone) if days else None
        sub.phases.append(Phase(plan, sub.start, sub.trial_end or sub.start, self.now))
        self.books.subs[sub.id] = sub
        if plan.mode == "realtime":
            self.biller.watch(sub.customer)
        self.biller.request(sub, self.now)

    def pause(self, dice: random.Random) -> None:
        """The merchant pauses a subscription."""
        sub = self.some_sub(dice)
        if sub is not None:
            wanted = 200 if sub.status == "active" else 409
            path = f"/v1/subscriptions/{sub.id}"
            if self.request("patch", path, {"status": "paused"}, wanted=wanted):
                self.biller.pause(sub, self.now)
                if dice.random() < 0.2:
                    self.resume_one(sub)

    def resume(self, dice: random.Random) -> None:
        """A pause is lifted, if it may be."""
        paused = [sub for sub in self.running() if sub.status == "paused"]
        sub = dice.choice(paused) if paused else self.some_sub(dice)
        if sub is not None:
            self.resume_one(sub)

    def resume_one(self, sub: Sub) -> None:
        """Have a subscription go on; what wallets can't pay keeps it paused."""
        path, wanted = f"/v1/subscriptions/{sub.id}", 200
        is_taken = self.books.is_taken(sub.customer, sub.plan.plan_type, but=sub)
        if sub.status == "canceled" or (sub.reason == "merchant" and is_taken):
            wanted = 409
        elif sub.reason == "balance":
            wanted = 200 if self.books.attempt(lambda: self.bill_at_once(sub.id)) else 402
        else:
            if sub.status == "paused":
                self.biller.end_pause(sub, self.now)
            self.biller.request(sub, self.now)
        self.request("patch", path, {"status": "active"}, wanted=wanted)

    def bill_at_once(self, sub_id: str) -> bool:
        return self.biller.request(self.books.subs[sub_id], self.now, strict=True)

    def cancel(self, dice: random.Random) -> None:
        """A subscription ends now."""
        sub = self.some_sub(dice)
        if sub is not None:
            self.end(sub, by_delete=dice.random() < 0.3)

    def end(self, sub: Sub, *, by_delete: bool = False) -> None:
        """Cancel or delete a subscription."""
        path = f"/v1/subscriptions/{sub.id}"
        if by_delete:
            self.request("delete", path)
            sub.deleted = True
            if sub.status == "canceled":
                return
        else:
            wanted = 409 if sub.status == "canceled" else 200
            if not self.request("patch", path, {"status": "canceled"}, wanted=wanted):
                return
        self.biller.cancel(sub, self.now)
        self.biller.undo_charges(sub)
        self.biller.request(sub, self.now)

    def schedule_cancel(self, dice: random.Random) -> None:
        """A subscription is to end with its period, or not after all."""
        sub = self.some_sub(dice)
        if sub is None:
            return
        wanted = sub.cancel_at is None
        path, status = f"/v1/subscriptions/{sub.id}", 409 if sub.status == "canceled" else 200
        if self.request("patch", path, {"cancel_at_period_end": wanted}, wanted=status):
            end = sub.period_at(max(self.now, sub.start))[1]
            sub.cancel_at = min(end, sub.end_date or end) if wanted else None

    def change_plan(self, dice: random.Random, *, later: bool = False) -> None:
        """A subscription goes on under another plan, now or from its period's end on."""
        sub = self.some_sub(dice)
        if sub is None:
            return
        plan = dice.choice(self.books.plans)
        matching = [
            (known, other)
            for known in self.running()
            for other in self.books.plans
            if not self.refusal(known, other)
        ]
        if matching and dice.random() < 0.7:
            sub, plan = dice.choice(matching)
        later = later or dice.random() < 0.5
        wanted = self.refusal(sub, plan, later=later) or 200
        path, body = f"/v1/subscriptions/{sub.id}", {"plan_id": plan.id}
        if later:
            self.request("patch", path, {**body, "apply_at": "period_end"}, wanted=wanted)
            if wanted == 200:
                sub.scheduled = plan, sub.period_at(max(self.now, sub.start))[1]
        else:
            self.request("patch", path, body, wanted=wanted)
            if wanted == 200:
                self.biller.join(sub, plan, self.now)
                self.biller.undo_charges(sub)
                if plan.mode == "realtime":
                    self.biller.watch(sub.customer)
                self.biller.request(sub, self.now)

    def refusal(self, sub: Sub, plan: Plan, *, later: bool = False) -> int:
        """How a change to a plan is refused; 0 where it is not."""
        is_stopped = sub.status == "canceled" or (sub.status == "paused" and not later)
        if is_stopped or plan is sub.plan:
            return 409
        if (plan.plan_type, plan.currency) != (sub.plan.plan_type, sub.plan.currency):
            return 409
        is_short = plan.billing_period in {"daily", "weekly"}
        return 400 if is_short and sub.anchor_kind == "month_start" else 0

    def take_back_change(self, dice: random.Random) -> None:
        """A plan that was scheduled is not to come after all; the merchant may have one in mind."""
        scheduled = [sub for sub in self.running() if sub.scheduled]
        if not scheduled and dice.random() < 0.6:
            self.steps.append("change_plan")
            self.change_plan(dice, later=True)
            self.steps.append("take_back_change")
            scheduled = [sub for sub in self.running() if sub.scheduled]
        if scheduled:
            sub = dice.choice(scheduled)
            path = f"/v1/subscriptions/{sub.id}"
            self.request("patch", path, {"plan_id": None, "apply_at": "period_end"})
            sub.scheduled = None
