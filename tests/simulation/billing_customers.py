"""What customers do: events now and late, and what their usage comes to."""

import json
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from monigo import invoicing, metering
from simulation.auditor import Rule
from simulation.billing_catalog import Catalog
from simulation.billing_desk import Desk
from simulation.billing_retention import empty
from simulation.billing_story import CUSTOMERS
from simulation.billing_subscriptions import Sub
from simulation.billing_wire import (
    DAY,
    HOUR,
    MICROSECOND,
    MINUTE,
    NO_NUMBERS,
    NUMBERS,
    as_read,
    at,
    told,
)
from support.agenda import do

# Days; the shortest that there is.
RETENTION = 100


class Customers(Catalog, Desk):
    """Events come, in whatever order, and are counted."""

    def ingest(self, dice: random.Random) -> None:
        """Some events, now or late, often beside a boundary; some that were sent before."""
        events, wanted = [self.event(dice) for _ in range(dice.randint(1, 6))], 200
        fresh = [event["idempotency_key"] for event in events]
        young = [event for event in self.sent[-20:] if at(event["timestamp"]) > self.now - 89 * DAY]
        again = [dice.choice(young)] if young and dice.random() < 0.15 else []
        if dice.random() < 0.08:
            wanted = 400
            events.append(self.bad_event(dice))
        answer = self.request("post", "/v1/ingest", {"events": events + again}, wanted=wanted)
        if answer is None:
            return
        assert sorted(answer["ingested"]) == sorted(fresh), answer
        assert answer["duplicates"] == [event["idempotency_key"] for event in again], answer
        for event in events:
            self.keep(event)

    def event(self, dice: random.Random) -> dict[str, Any]:
        self.events += 1
        number = dice.choice(NO_NUMBERS if dice.random() < 0.1 else NUMBERS)
        properties = {"n": number, "user": f"u{dice.randrange(4)}"}
        if dice.random() < 0.2:
            del properties[dice.choice(("n", "user"))]
        return {
            "event_name": dice.choice(("call", "pay")),
            "customer_id": f"c{dice.randrange(CUSTOMERS)}",
            "idempotency_key": f"e{self.events}",
            "timestamp": told(self.instant(dice)),
            "properties": properties,
        }

    def bad_event(self, dice: random.Random) -> dict[str, Any]:
        """An event for which its whole batch is refused."""
        wrong = {
            "timestamp": told(self.now + HOUR + MICROSECOND),
            "customer_id": "nobody",
            "event_name": "",
        }
        if dice.random() < 0.3:
            wrong["timestamp"] = told(self.now - 90 * DAY - MICROSECOND)
        name = dice.choice(list(wrong))
        return {**self.event(dice), name: wrong[name]}

    def keep(self, event: dict[str, Any]) -> None:
        customer = self.customers[int(event["customer_id"][1:])]
        self.sent.append(event)
        self.books.usage.keep(
            event["idempotency_key"],
            customer,
            event["event_name"],
            at(event["timestamp"]),
            json.dumps(event["properties"]),
        )
        self.books.events_of[customer] = self.books.events_of.get(customer, 0) + 1
        self.books.changed.add(customer)

    def instant(self, dice: random.Random) -> datetime:
        """Mostly about now, else late; an edge of a pause or period, or a microsecond beside it."""
        edges = [edge for sub in self.books.subs.values() for edge in self.edges(sub)]
        back = dice.choice((timedelta(), timedelta(), MINUTE, HOUR, DAY, 20 * DAY, 80 * DAY))
        instant = self.now - back * dice.random()
        if edges and dice.random() < 0.4:
            instant = dice.choice(edges) + dice.choice((-1, 0, 0, 1)) * MICROSECOND
        return max(self.now - 89 * DAY, min(instant, self.now + 55 * MINUTE))

    def edges(self, sub: Sub) -> list[datetime]:
        edges = [edge for pause in sub.pauses for edge in pause if edge is not None]
        return [*edges, sub.closed_until, sub.start, *filter(None, [sub.canceled_at])]

    def fold(self, _dice: random.Random) -> None:
        """Events go into the rollups, unless one that came late still waits to be told."""
        subs = self.books.subs.values()
        floor = max((sub.closed_until for sub in subs), default=self.now)
        if all(event.at > floor for event in self.last_events()):
            self.backend.run(metering.fold_all(self.backend.services.database))

    def last_events(self) -> list[Any]:
        known = self.books.usage.events
        keys = [f"e{number}" for number in range(max(1, self.events - 200), self.events + 1)]
        return [known[key] for key in keys if key in known]

    def charge(self, _dice: random.Random) -> None:
        """Wallets pay what realtime plans have come to."""
        services = self.backend.services
        self.backend.run(metering.fold_all(services.database))
        do(self.api, invoicing.CHARGE)
        self.biller.charge_all(self.now)

    def forget(self, dice: random.Random) -> None:
        """Old events lose their properties, where the merchant wants it; old periods are billed."""
        if not self.is_forgetful:
            return
        if self.books.retention is None:
            self.request("patch", "/v1/organization", {"raw_event_retention_days": RETENTION})
            self.books.retention = RETENTION
            self.books.keep(self.now)
        # Nothing is emptied while a replay may need it.
        self.work_off_replays()
        services = self.backend.services
        self.backend.run(metering.fold_all(services.database))
        drafts = [
            as_read(draft)
            for name in ("invoices", "bills")
            for draft in self.ask("get", f"/v1/{name}?status=draft&limit=10000")[name]
        ]
        empty(self.books, self.now, drafts)
        self.backend.run(
            metering.redact_events(services.database, self.api.tenant, invoicing.open_from)
        )
        if dice.random() < 0.6:
            self.steps.append("regenerate")
            self.regenerate(dice)

    def usage(self, dice: random.Random) -> None:
        """What usage of the present periods says."""
        place = dice.randrange(CUSTOMERS)
        rollups = self.ask("get", f"/v1/usage?customer_id=c{place}")["rollups"]
        for rollup in rollups:
            rule = self.books.rules[rollup["metric_id"]]
            self.check_rollup(rollup, self.customers[place], rule)

    def check_rollup(self, rollup: dict[str, Any], customer: str, rule: Rule) -> None:
        span = at(rollup["period_start"]), at(rollup["period_end"])
        known = self.books.usage.usage(customer, rule, [span])
        # The wire's JSON number has been through a float on this side.
        value = Decimal(str(float(known.quantity)))
        wanted = value, known.event_count, known.uncounted
        names = ("event_count", "uncounted_events")
        found = Decimal(str(rollup["value"])), *(rollup[name] for name in names)
        assert found == wanted, (rollup, known)
