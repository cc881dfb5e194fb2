"""What a merchant sells: plans, prices, overrides, metrics and taxes, and how they change."""

import random
from typing import Any

from simulation.billing_books import Override
from simulation.billing_prices import Spec
from simulation.billing_retention import summed_since
from simulation.billing_story import Story
from simulation.billing_subscriptions import Edit, Plan
from simulation.billing_wire import (
    AMOUNTS,
    DAY,
    HOUR,
    METRICS,
    MODES,
    MONEY,
    PERIODS,
    SMALL,
    ZONES,
    exact,
    hour_before,
    rule_of,
    told,
)
from support.jobs import run_replay

PLANS_MAX = 9
# In which the amounts of a story are: small ones, of which many round to nothing, or any.
CURRENCIES = ("NGN", "NGN", "XOF")


class Catalog(Story):
    """Plans and prices come and change."""

    def add_plan(self, dice: random.Random) -> None:
        """A new plan with one to three prices."""
        if len(self.books.plans) >= PLANS_MAX:
            return
        specs = [self.spec(dice) for _ in range(dice.randint(1, 3))]
        fee, in_advance = dice.choice(("0", "0", *MONEY)), dice.random() < 0.5
        plan_type = dice.choice(("collection", "collection", "collection", "payout"))
        body = {
            "name": "Plan",
            "currency": dice.choice(CURRENCIES),
            "plan_type": plan_type,
            "billing_mode": dice.choice(MODES) if plan_type == "collection" else "postpaid",
            "billing_period": dice.choice(PERIODS),
            "trial_period_days": dice.choice((0, 0, 0, 7, 14)),
            "base_fee": fee,
            "base_fee_timing": "in_advance" if in_advance else "in_arrears",
            "prices": [spec.body() for spec in specs],
        }
        made = self.request("post", "/v1/plans", body)["plan"]
        prices = {price["id"]: spec for price, spec in zip(made["prices"], specs, strict=True)}
        plan = Plan(
            id=made["id"],
            plan_type=body["plan_type"],
            currency=body["currency"],
            billing_period=body["billing_period"],
            mode=body["billing_mode"],
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
        """A model's unit price and tiers."""
        amounts = dice.choice((AMOUNTS, SMALL))
        if model == "flat_unit":
            return dice.choice(amounts), None
        if model == "percentage":
            return None, {"rate": dice.choice(amounts), "fixed": dice.choice(amounts)}
        if model == "package":
            rounds, size = dice.random() < 0.5, dice.choice(("1", "3", "2.5"))
            price = dice.choice(amounts)
            return None, {
                "package_size": size,
                "package_price": price,
                "round_up_partial_block": rounds,
            }
        if model == "overage":
            included, base = dice.choice(("0", "2", "5.5")), dice.choice(MONEY)
            beyond = dice.choice(amounts)
            return None, {"included_units": included, "base_price": base, "overage_price": beyond}
        tops = sorted(dice.sample(("1", "2.5", "5", "12"), dice.randint(0, 2)), key=float)
        return None, [{"up_to": top, "unit_amount": dice.choice(amounts)} for top in [*tops, None]]

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
            if change == "revise":
                wanted[place] = self.spec(dice, self.kind_of(plan.prices[place]))
            elif change == "remove" and len(wanted) > 1:
                wanted[place] = None
            elif len(wanted) < 4:
                added = [self.spec(dice)]
            kept = [spec.body(key) for key, spec in wanted.items() if spec]
            body["prices"] = kept + [spec.body() for spec in added]
        made = self.request("put", f"/v1/plans/{plan.id}", body)["plan"]
        changed = {key: spec for key, spec in wanted.items() if spec != plan.prices[key]}
        changed |= {
            price["id"]: spec for price, spec in zip(made["prices"][-1:], added, strict=False)
        }
        plan.edit(Edit(self.now, apply_to, None if fee == plan.fee else fee, changed))

    def kind_of(self, spec: Spec) -> str:
        return next(kind for kind, metric in self.metrics.items() if metric == spec.metric)

    def override(self, dice: random.Random) -> None:
        """One customer gets another price; two at a time of one price are refused."""
        plan, customer = dice.choice(self.books.plans), dice.choice(self.customers)
        price = dice.choice([*plan.prices])
        since = self.now + dice.choice((0, 0, -40, 20)) * DAY
        until = since + dice.randint(1, 90) * DAY if dice.random() < 0.5 else None
        spec = self.spec(dice, self.kind_of(plan.prices[price]))
        body = {
            "customer_id": customer,
            "price_id": price,
            "model": spec.model,
            "unit_price": spec.unit_price,
            "tiers": spec.tiers,
            "valid_from": told(since),
            "valid_until": told(until) if until else None,
        }
        overlaps = any(
            (other.customer, other.price) == (customer, price)
            and (other.until is None or other.until > since)
            and (until is None or until > other.since)
            for other in self.books.overrides
        )
        wanted = 409 if overlaps else 200
        made = self.request("post", "/v1/price-overrides", body, wanted=wanted)
        if made is not None:
            made_id = made["price_override"]["id"]
            self.books.overrides.append(Override(made_id, customer, price, spec, since, until))

    def end_override(self, dice: random.Random) -> None:
        """A customer's own price is taken back."""
        if self.books.overrides:
            gone = dice.choice(self.books.overrides)
            self.request("delete", f"/v1/price-overrides/{gone.id}")
            self.books.overrides.remove(gone)

    def set_taxes(self, dice: random.Random) -> None:
        """Taxes are switched on, changed or switched off."""
        rates = {"vat": dice.choice((0, 7.5, 18)), "wht": dice.choice((0, 5, 2.25))}
        body = {f"{name}_enabled": rate > 0 for name, rate in rates.items()}
        body |= {f"{name}_rate": rate for name, rate in rates.items() if rate}
        self.request("patch", "/v1/organization", body)
        self.books.taxes = {name: exact(rate) for name, rate in rates.items()}

    def move(self, dice: random.Random) -> None:
        """The organisation moves; subscriptions keep their zones."""
        self.zone = dice.choice(ZONES)
        self.request("patch", "/v1/organization", {"timezone": self.zone})

    def edit_metric(self, dice: random.Random) -> None:
        """A metric counts otherwise from now on; closed periods stay as they are."""
        if self.books.kept_from is not None:
            # Events that may be gone can't be counted anew.
            return
        kind = dice.choice(list(METRICS))
        filters = [{"property": "user", "operator": dice.choice(("=", "!=")), "value": "u1"}]
        body: dict[str, Any] = {"filters": dice.choice(([], filters))}
        if kind == "count":
            body["event_name"] = dice.choice(("call", "pay"))
        if kind in {"count", "sum"}:
            body["group_by"] = dice.choice(("", "user"))
        metric = self.request("put", f"/v1/metrics/{self.metrics[kind]}", body)["metric"]
        if self.books.rules[metric["id"]] != rule_of(metric):
            self.books.rules[metric["id"]] = rule_of(metric)
            self.books.summed_from[metric["id"]] = summed_since(self.now)

    def replay(self, dice: random.Random) -> None:
        """Some days are counted anew under the metrics of now, unless events may be gone."""
        start = self.now - dice.randint(1, 80) * DAY
        if dice.random() < 0.1:
            start -= 200 * DAY
        end = start + dice.randint(1, 60 * 24) * HOUR
        name = dice.choice(("", "call", "pay"))
        body = {"from": told(start), "to": told(end), "event_name": name}
        first, last = hour_before(start), hour_before(end)
        is_sealed = self.books.kept_from is not None and first < self.books.kept_from
        wanted = 409 if is_sealed else 200
        if self.request("post", "/v1/events/replay", body, wanted=wanted):
            self.work_off_replays()
            self.books.replayed((first, last if last == end else last + HOUR), name)

    def work_off_replays(self) -> None:
        jobs = self.ask("get", "/v1/events/replay?limit=50")["jobs"]
        for job in reversed(jobs):
            if job["status"] in {"pending", "processing"}:
                run_replay(self.api, job["id"])
