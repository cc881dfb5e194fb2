"""A merchant whose customers live through years of bills, and the auditor who keeps the books."""

import asyncio
import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from monigo import metering
from monigo.cli.verification import verify_tenant
from monigo.jobs.replays import run_replay
from simulation.billing_auditor import FIRST_LOOK, Books, Override
from simulation.billing_rules import Edit, Phase, Plan, Span, Spec, Sub
from simulation.billing_wire import (
    AMOUNTS,
    DAY,
    HOUR,
    METRICS,
    MICROSECOND,
    MONEY,
    NUMBERS,
    PERIODS,
    ZONES,
    as_read,
    at,
    exact,
    path_of,
    rule_of,
    told,
)
from support.api import Api

CUSTOMERS = 4
PLANS_MAX = 8
# A clock that has not arrived by then never will.
ADVANCE_SECONDS_MAX = 60


class World:
    """One organisation's test mode. Every operation takes the dice that decide it."""

    def __init__(self, backend, dice: random.Random) -> None:
        self.api = Api.of_new_organization(backend)
        self.story: list[str] = []
        grace = dice.choice((0, 0, 0, 1, 30, 72))
        self.books = Books(grace * HOUR)
        self.zone = dice.choice(ZONES)
        settings = {"event_ingestion_grace_period_hours": grace, "timezone": self.zone}
        self.ask("patch", "/v1/organization", settings)
        self.now = datetime(2027, 1, 1, tzinfo=UTC)
        self.ask("post", "/v1/test-clock/advance", {"to": told(self.now)})
        self.customers = [self.api.customer(f"c{place}")["id"] for place in range(CUSTOMERS)]
        self.metrics = {kind: self.api.metric(**body)["id"] for kind, body in METRICS.items()}
        for kind, body in METRICS.items():
            self.books.rules[self.metrics[kind]] = rule_of(body)
        self.events = 0
        for _ in range(3):
            self.add_plan(dice)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request that must succeed."""
        response = self.api.http.request(method.upper(), path, json=body)
        assert response.is_success, f"{method} {path} {body}: {response.text}"
        return response.json()

    def act(self, dice: random.Random) -> None:
        """Do something at random, and hold the bills against the books."""
        operations = {
            self.ingest: 30,
            self.advance: 28,
            self.subscribe: 12,
            self.pause_or_resume: 6,
            self.cancel: 2,
            self.schedule_cancel: 2,
            self.change_plan: 4,
            self.add_plan: 2,
            self.edit_plan: 6,
            self.override: 5,
            self.draft: 5,
            self.finalize: 8,
            self.void: 6,
            self.regenerate: 4,
            self.mark_paid: 2,
            self.set_taxes: 2,
            self.edit_metric: 3,
            self.replay: 3,
            self.fold: 4,
            self.move: 1,
        }
        chosen = dice.choices(list(operations), weights=list(operations.values()))[0]
        self.story.append(chosen.__name__)
        chosen(dice)
        self.check()

    # What happens by itself, and what customers do.

    def advance(self, dice: random.Random) -> None:
        """Time passes: hours, days, rarely half a year; often up to a boundary."""
        to = self.now + dice.choice((HOUR, 5 * HOUR, DAY, 3 * DAY, 10 * DAY, 33 * DAY))
        if dice.random() < 0.04:
            to = self.now + 190 * DAY
        spans = [span for sub in self.running() if (span := sub.first_open())]
        if spans and dice.random() < 0.5:
            edge = dice.choice(spans)[1] + dice.choice((0, 0, -1, 1)) * MICROSECOND
            to = edge if self.now < edge < self.now + 100 * DAY else to
        self.advance_to(to)

    def advance_to(self, to: datetime) -> None:
        self.work_off_replays()
        self.story[-1:] = [f"advance from {told(self.now)} to {told(to)}"]
        self.books.advance(self.now, to)
        response = self.ask("post", "/v1/test-clock/advance", {"to": told(to)})
        deadline = time.monotonic() + ADVANCE_SECONDS_MAX
        while response["status"] == "advancing" and time.monotonic() < deadline:
            time.sleep(0.1)
            response = self.ask("get", "/v1/test-clock")
        assert (response["status"], at(response["now"])) == ("ready", to), response
        self.now = to

    def ingest(self, dice: random.Random) -> None:
        """Some events, now or late, often beside a boundary."""
        events = []
        for _ in range(dice.randint(1, 6)):
            self.events += 1
            properties = {"n": dice.choice(NUMBERS), "user": f"u{dice.randrange(4)}"}
            if dice.random() < 0.2:
                del properties[dice.choice(("n", "user"))]
            place = dice.randrange(CUSTOMERS)
            name, instant = dice.choice(("call", "pay")), self.instant(dice)
            events.append(
                {
                    "event_name": name,
                    "customer_id": f"c{place}",
                    "idempotency_key": f"e{self.events}",
                    "timestamp": told(instant),
                    "properties": properties,
                }
            )
            self.books.usage.keep(
                f"e{self.events}", self.customers[place], name, instant, json.dumps(properties)
            )
        self.ask("post", "/v1/ingest", {"events": events})

    def instant(self, dice: random.Random) -> datetime:
        """Mostly about now, else late; an edge of a pause or period, or a microsecond beside it."""
        edges = [edge for sub in self.books.subs.values() for edge in self.edges(sub)]
        back = dice.choice((timedelta(), timedelta(), HOUR, DAY, 20 * DAY, 80 * DAY))
        instant = self.now - back * dice.random()
        if edges and dice.random() < 0.4:
            instant = dice.choice(edges) + dice.choice((-1, 0, 0, 1)) * MICROSECOND
        return max(self.now - 89 * DAY, min(instant, self.now + 55 * timedelta(minutes=1)))

    def edges(self, sub: Sub) -> list[datetime]:
        edges = [edge for pause in sub.pauses for edge in pause if edge is not None]
        return [*edges, sub.closed_until, sub.start, *filter(None, [sub.canceled_at])]

    def fold(self, _dice: random.Random) -> None:
        """Events go into the rollups, unless one that came late still waits to be told."""
        subs = self.books.subs.values()
        floor = max((sub.closed_until for sub in subs), default=self.now)
        keys = [f"e{number}" for number in range(max(1, self.events - 200), self.events + 1)]
        if all(self.books.usage.events[key].at > floor for key in keys):
            self.api.backend.run(metering.fold_all(self.api.backend.services.database))

    # What a merchant does.

    def subscribe(self, dice: random.Random) -> None:
        """A customer starts on a plan: now, earlier or later, maybe for a limited time."""
        plan, customer = dice.choice(self.books.plans), self.customers[dice.randrange(CUSTOMERS)]
        if self.is_taken(customer, plan.plan_type):
            return
        fits = plan.billing_period not in {"daily", "weekly"}
        anchor = dice.choice(("subscription_start", "month_start")) if fits else ""
        back = 9 if plan.billing_period == "daily" else 80
        start = self.now + dice.choice((0, 0, 0, -1, 1)) * dice.randrange(back) * DAY
        start -= dice.choice((0, 1)) * timedelta(seconds=dice.randrange(70_000))
        end = max(start, self.now) + dice.randint(1, 200) * DAY if dice.random() < 0.1 else None
        body = {
            "customer_id": customer,
            "plan_id": plan.id,
            "billing_anchor": anchor or None,
            "start_date": told(start),
            "end_date": told(end) if end else None,
        }
        if start < (self.books.taken_until(customer, plan.plan_type) or start):
            assert self.api.post("/v1/subscriptions", json=body).status_code == 409
            return
        made = self.ask("post", "/v1/subscriptions", body)["subscription"]
        trial_end = self.books.trial_end(customer, plan, start, self.zone)
        sub = Sub(
            id=made["id"],
            customer=customer,
            zone=self.zone,
            anchor_kind=anchor,
            start=start,
            end_date=end,
            trial_end=trial_end,
            tried=plan.id,
            phases=[Phase(plan, start, trial_end or start, self.now)],
            closed_until=start,
        )
        self.books.subs[sub.id] = sub
        self.books.request(sub, self.now)

    def pause_or_resume(self, dice: random.Random) -> None:
        """The merchant's pause begins or ends; sometimes both in the same moment."""
        for sub in dice.sample(self.running(), min(1, len(self.running()))):
            for _ in range(dice.choice((1, 1, 1, 2, 3))):
                if sub.status == "canceled":
                    return
                status = "paused" if sub.status == "active" else "active"
                if status == "active" and self.is_taken(sub.customer, sub.plan.plan_type):
                    return
                self.ask("patch", f"/v1/subscriptions/{sub.id}", {"status": status})
                sub.status = status
                if status == "paused":
                    sub.pauses.append([self.now, None])
                else:
                    self.books.end_pause(sub, self.now)
                    self.books.request(sub, self.now)

    def is_taken(self, customer: str, plan_type: str) -> bool:
        """Whether the customer has an active subscription of a type."""
        return any(
            (sub.customer, sub.plan.plan_type, sub.status) == (customer, plan_type, "active")
            for sub in self.running()
        )

    def cancel(self, dice: random.Random) -> None:
        """A subscription ends now."""
        for sub in dice.sample(self.running(), min(1, len(self.running()))):
            self.end(sub, by_delete=dice.random() < 0.3)

    def end(self, sub: Sub, *, by_delete: bool = False) -> None:
        path = f"/v1/subscriptions/{sub.id}"
        if by_delete:
            self.ask("delete", path)
            sub.deleted = True
        else:
            self.ask("patch", path, {"status": "canceled"})
        self.books.cancel(sub, self.now)
        self.books.request(sub, self.now)

    def schedule_cancel(self, dice: random.Random) -> None:
        """A subscription is to end with its period, or not after all."""
        for sub in dice.sample(self.running(), min(1, len(self.running()))):
            path, wanted = f"/v1/subscriptions/{sub.id}", sub.cancel_at is None
            self.ask("patch", path, {"cancel_at_period_end": wanted})
            end = sub.period_at(max(self.now, sub.start))[1]
            sub.cancel_at = min(end, sub.end_date or end) if wanted else None

    def change_plan(self, dice: random.Random) -> None:
        """A subscription goes on under another plan of its type and currency."""
        for sub in dice.sample(self.running(), min(1, len(self.running()))):
            others = [
                plan
                for plan in self.books.plans
                if (plan.plan_type, plan.currency) == (sub.plan.plan_type, sub.plan.currency)
                and plan is not sub.plan
                and (sub.anchor_kind != "month_start" or plan.billing_period != "daily")
                and (sub.anchor_kind != "month_start" or plan.billing_period != "weekly")
            ]
            if sub.status == "active" and others:
                plan = dice.choice(others)
                self.ask("patch", f"/v1/subscriptions/{sub.id}", {"plan_id": plan.id})
                self.books.join(sub, plan, self.now)
                self.books.request(sub, self.now)

    def add_plan(self, dice: random.Random) -> None:
        """A new plan with one to three prices."""
        if len(self.books.plans) >= PLANS_MAX:
            return
        specs = [self.spec(dice) for _ in range(dice.randint(1, 3))]
        fee, in_advance = dice.choice(("0", "0", *MONEY)), dice.random() < 0.5
        body = {
            "name": "Plan",
            "currency": dice.choice(("NGN", "NGN", "XOF")),
            "plan_type": dice.choice(("collection", "collection", "payout")),
            "billing_period": dice.choice(PERIODS),
            "trial_period_days": dice.choice((0, 0, 0, 7, 14)),
            "base_fee": fee,
            "base_fee_timing": "in_advance" if in_advance else "in_arrears",
            "prices": [spec.body() for spec in specs],
        }
        made = self.ask("post", "/v1/plans", body)["plan"]
        prices = {price["id"]: spec for price, spec in zip(made["prices"], specs, strict=True)}
        plan = Plan(
            id=made["id"],
            plan_type=body["plan_type"],
            currency=body["currency"],
            billing_period=body["billing_period"],
            trial_days=body["trial_period_days"],
            fee=(fee, in_advance),
            prices=prices,
        )
        plan.edits.append(Edit(self.now, "all", plan.fee, dict(prices)))
        self.books.plans.append(plan)

    def spec(self, dice: random.Random, kind: str = "") -> Spec:
        """A random price on a random metric."""
        kind = kind or dice.choice(list(METRICS))
        models = ["flat_unit", "tiered", "volume", "weighted_tiered", "package", "overage"]
        model = dice.choice([*models, *(["percentage"] * 3 if kind == "sum" else [])])
        unit_price, tiers = self.model(dice, model)
        bounds = sorted(dice.choices(MONEY, k=2), key=float)
        return Spec(
            metric=self.metrics[kind],
            model=model,
            unit_price=unit_price,
            tiers=tiers,
            flat_fee=dice.choice((None, None, *MONEY)),
            minimum=bounds[0] if dice.random() < 0.25 else None,
            maximum=bounds[1] if dice.random() < 0.25 else None,
        )

    def model(self, dice: random.Random, model: str) -> tuple[str | None, Any]:
        if model == "flat_unit":
            return dice.choice(AMOUNTS), None
        if model == "percentage":
            return None, {"rate": dice.choice(AMOUNTS), "fixed": dice.choice(AMOUNTS)}
        if model == "package":
            rounds = dice.random() < 0.5
            size = dice.choice(("1", "3", "2.5"))
            price = dice.choice(AMOUNTS)
            return None, {
                "package_size": size,
                "package_price": price,
                "round_up_partial_block": rounds,
            }
        if model == "overage":
            included, base = dice.choice(("0", "2", "5.5")), dice.choice(MONEY)
            beyond = dice.choice(AMOUNTS)
            return None, {"included_units": included, "base_price": base, "overage_price": beyond}
        tops = sorted(dice.sample(("1", "2.5", "5", "12"), dice.randint(0, 2)), key=float)
        return None, [{"up_to": top, "unit_amount": dice.choice(AMOUNTS)} for top in [*tops, None]]

    def edit_plan(self, dice: random.Random) -> None:
        """The fee changes, or a price is revised, added or removed."""
        plan = dice.choice(self.books.plans)
        apply_to = dice.choice(("all", "all", "next_period", "new"))
        wanted: dict[str, Spec | None] = dict(plan.prices)
        body: dict[str, Any] = {"apply_to": apply_to}
        added, fee = [], None
        if dice.random() < 0.4:
            fee = (dice.choice(MONEY), dice.random() < 0.5)
            body["base_fee"] = fee[0]
            body["base_fee_timing"] = "in_advance" if fee[1] else "in_arrears"
        if fee is None or dice.random() < 0.3:
            place = dice.choice([*plan.prices])
            change = dice.choice(("revise", "revise", "add", "remove"))
            kind = next(k for k, v in self.metrics.items() if v == plan.prices[place].metric)
            if change == "revise":
                wanted[place] = self.spec(dice, kind)
            elif change == "remove" and len(wanted) > 1:
                wanted[place] = None
            elif len(wanted) < 4:
                added = [self.spec(dice)]
            kept = [spec.body(key) for key, spec in wanted.items() if spec]
            body["prices"] = kept + [spec.body() for spec in added]
        made = self.ask("put", f"/v1/plans/{plan.id}", body)["plan"]
        changed = {key: spec for key, spec in wanted.items() if spec != plan.prices[key]}
        changed |= {
            price["id"]: spec for price, spec in zip(made["prices"][-1:], added, strict=False)
        }
        if fee == plan.fee:
            fee = None
        plan.edits.append(Edit(self.now, apply_to, fee, changed))
        plan.fee = fee or plan.fee
        plan.prices = {key: spec for key, spec in (plan.prices | changed).items() if spec}

    def override(self, dice: random.Random) -> None:
        """One customer gets another price, or does no longer."""
        known = self.books.overrides
        if known and dice.random() < 0.3:
            gone = dice.choice(known)
            self.ask("delete", f"/v1/price-overrides/{gone.id}")
            known.remove(gone)
            return
        plan, customer = dice.choice(self.books.plans), dice.choice(self.customers)
        price = dice.choice([*plan.prices])
        since = self.now + dice.choice((0, 0, -40, 20)) * DAY
        until = since + dice.randint(1, 90) * DAY if dice.random() < 0.5 else None
        for other in known:
            if (other.customer, other.price) == (customer, price):
                return
        kind = next(k for k, v in self.metrics.items() if v == plan.prices[price].metric)
        spec = self.spec(dice, kind)
        body = {
            "customer_id": customer,
            "price_id": price,
            "model": spec.model,
            "unit_price": spec.unit_price,
            "tiers": spec.tiers,
            "valid_from": told(since),
            "valid_until": told(until) if until else None,
        }
        made = self.ask("post", "/v1/price-overrides", body)["price_override"]
        known.append(Override(made["id"], customer, price, spec, since, until))

    def set_taxes(self, dice: random.Random) -> None:
        """Taxes are switched on, changed or switched off."""
        rates = {"vat": dice.choice((0, 7.5, 18)), "wht": dice.choice((0, 5, 2.25))}
        body = {f"{name}_enabled": rate > 0 for name, rate in rates.items()}
        body |= {f"{name}_rate": rate for name, rate in rates.items() if rate}
        self.ask("patch", "/v1/organization", body)
        self.books.taxes = {name: exact(rate) for name, rate in rates.items()}

    def move(self, dice: random.Random) -> None:
        """The organisation moves; subscriptions keep their zones."""
        self.zone = dice.choice(ZONES)
        self.ask("patch", "/v1/organization", {"timezone": self.zone})

    # What a merchant does with invoices.

    def draft(self, dice: random.Random) -> str | None:
        """The draft of a running period is made or made anew, or one is deleted."""
        drafts = self.books.with_status("draft")
        if drafts and dice.random() < 0.3:
            gone = dice.choice(drafts)
            self.ask("delete", f"{path_of(gone)}/{gone['id']}")
            del self.books.invoices[gone["id"]]
            return None
        subs = [sub for sub in self.running() if self.period_now(sub)]
        if not subs:
            return None
        sub = dice.choice(subs)
        return self.generate(sub)

    def generate(self, sub: Sub, start: datetime | None = None) -> str:
        body = {"subscription_id": sub.id, **({"period_start": told(start)} if start else {})}
        if sub.plan.plan_type == "payout":
            made = self.ask("post", "/v1/bills", body)["bill"]
        else:
            made = self.ask("post", "/v1/invoices/generate", body)["invoice"]
        return self.remember(made)["id"]

    def finalize(self, dice: random.Random) -> None:
        """A draft is made and becomes final, or one that was there."""
        drafts = self.books.with_status("draft")
        invoice_id = dice.choice(drafts)["id"] if drafts and dice.random() < 0.4 else None
        invoice_id = invoice_id or self.draft(random.Random(dice.random()))
        if invoice_id:
            self.make_final(self.books.invoices[invoice_id])

    def make_final(self, draft: dict[str, Any]) -> None:
        sub, key = self.sub_of(draft), (draft["subscription_id"], draft["period_start"])
        span = draft["period_start"], draft["period_end"]
        path, first = f"{path_of(draft)}/{draft['id']}/finalize", sub.first_open()
        if first and first[1] <= self.now and first[0] < span[0]:
            assert self.api.post(path).status_code == 409
            return
        self.ask("post", path)
        if key in self.books.closed:
            self.books.regenerated(sub, span, self.now)
        elif first and first[1] <= self.now:
            self.books.close(sub, first, self.now)
        else:
            self.books.interim(sub, sub.period_at(span[0]), self.now)

    def void(self, dice: random.Random) -> None:
        """An invoice is taken back, mostly one of the latest."""
        known = [*self.books.with_status("finalized"), *self.books.with_status("draft")]
        if not known:
            return
        gone = dice.choice(known[-6:])
        closed = self.books.closed.get((gone["subscription_id"], gone["period_start"]))
        if closed and closed.at == self.now and gone["kind"] != "closing":
            # Which of the two came first is not told where time stands still.
            return
        self.ask("post", f"{path_of(gone)}/{gone['id']}/void")
        if gone["status"] != "draft":
            self.books.voided(gone)
        gone["status"] = "void"

    def regenerate(self, dice: random.Random) -> None:
        """A waived period is billed after all; one that is not waived is refused."""
        frozen = [known for known in self.books.closed.values() if known.waived]
        if not frozen:
            return
        chosen = dice.choice(frozen)
        start = chosen.span[0]
        if self.books.may_regenerate(chosen) and not chosen.sub.deleted:
            invoice_id = self.generate(chosen.sub, start)
            if dice.random() < 0.8:
                self.make_final(self.books.invoices[invoice_id])
            return
        is_payout = chosen.sub.plan.plan_type == "payout"
        path = "/v1/bills" if is_payout else "/v1/invoices/generate"
        body = {"subscription_id": chosen.sub.id, "period_start": told(start)}
        assert self.api.post(path, json=body).status_code in {404, 409}

    def mark_paid(self, dice: random.Random) -> None:
        """An invoice's money came elsewhere."""
        known = [each for each in self.books.with_status("finalized") if "INV" in each["number"]]
        if known:
            paid = dice.choice(known)
            path = f"/v1/invoices/{paid['id']}/mark-paid"
            paid["status"] = self.ask("post", path, {"reference": "cash"})["invoice"]["status"]

    # Metrics, and what they bring about.

    def edit_metric(self, dice: random.Random) -> None:
        """A metric counts otherwise from now on; closed periods stay as they are."""
        kind = dice.choice(list(METRICS))
        filters = [{"property": "user", "operator": dice.choice(("=", "!=")), "value": "u1"}]
        body: dict[str, Any] = {"filters": dice.choice(([], filters))}
        if kind == "count":
            body["event_name"] = dice.choice(("call", "pay"))
        if kind in {"count", "sum"}:
            body["group_by"] = dice.choice(("", "user"))
        metric = self.ask("put", f"/v1/metrics/{self.metrics[kind]}", body)["metric"]
        self.books.rules[metric["id"]] = rule_of(metric)

    def replay(self, dice: random.Random) -> None:
        """Some days are counted anew under the metrics of now."""
        start = self.now - dice.randint(1, 80) * DAY
        end = start + dice.randint(1, 60 * 24) * HOUR
        name = dice.choice(("", "call", "pay"))
        body = {"from": told(start), "to": told(end), "event_name": name}
        self.ask("post", "/v1/events/replay", body)
        self.work_off_replays()
        hour = {"minute": 0, "second": 0, "microsecond": 0}
        first, last = start.replace(**hour), end.replace(**hour)
        self.books.replayed((first, last if last == end else last + HOUR), name)

    def work_off_replays(self) -> None:
        jobs = self.ask("get", "/v1/events/replay?limit=50")["jobs"]
        for job in reversed(jobs):
            if job["status"] in {"pending", "processing"}:
                backend = self.api.backend
                backend.run(
                    run_replay(backend.services, self.api.tenant, job["id"], asyncio.Event())
                )

    # The bills, held against the books.

    def running(self) -> list[Sub]:
        return [sub for sub in self.books.subs.values() if sub.status != "canceled"]

    def period_now(self, sub: Sub) -> Span | None:
        """The period that a draft can be made of now."""
        if self.now < sub.start:
            return None
        span = sub.period_at(self.now)
        return None if sub.is_trial(span) else span

    def sub_of(self, invoice: dict[str, Any]) -> Sub:
        return self.books.subs[invoice["subscription_id"]]

    def remember(self, invoice: dict[str, Any]) -> dict[str, Any]:
        """Note an invoice or bill as the auditor reads it."""
        known = as_read(invoice)
        self.books.invoices[known["id"]] = known
        return known

    def read(self, limit: int) -> None:
        """The newest invoices and bills, and those that were drafts."""
        for known in self.books.with_status("draft"):
            response = self.api.get(f"{path_of(known)}/{known['id']}")
            assert response.status_code == 200, known
            (invoice,) = response.json().values()
            self.remember(invoice)
        for name in ("invoices", "bills"):
            page, wanted = [], limit
            while len(page) < wanted <= 10_000:
                answer = self.ask("get", f"/v1/{name}?limit={wanted}")
                page = answer[name]
                # Read on until everything that is new has been seen.
                if not page or len(page) < wanted or page[-1]["id"] in self.books.invoices:
                    break
                wanted *= 4
            for invoice in page:
                self.remember(invoice)

    def check(self, limit: int = 10) -> None:
        """Every bill is what the books say."""
        self.read(limit)
        self.books.check()

    def finish(self) -> None:
        """Everything ends; what came late is told, and nothing is left over."""
        for sub in self.running():
            self.end(sub)
        self.check()
        self.story.append("")
        self.advance_to(self.now + FIRST_LOOK + 2 * DAY)
        self.check(10_000)
        late = self.api.backend.sql(
            "SELECT count(*) FROM due_subscriptions WHERE org_id = $1 AND due_at <= $2",
            self.api.org_id,
            self.now,
        )
        assert late[0][0] == 0
        subscriptions = self.ask("get", "/v1/subscriptions?limit=1000")["subscriptions"]
        assert {known["billing_error"] for known in subscriptions} <= {""}
        services = self.api.backend.services
        found = self.api.backend.run(verify_tenant(services.database, self.api.tenant))
        assert [each.differences for each in found] == [[] for _ in found]
        self.api.http.close()
