"""A merchant with alerts whom random things happen to, and the auditor who watches."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

from monigo import metering
from monigo.alerts import CLOCK_TASKS, TASKS
from monigo.core.times import format_instant
from monigo.infra import agenda
from simulation.alert_auditor import DAY, AlertAuditor, midnight
from support.alerts import alert, settle, usage_alert
from support.api import Api, event
from support.jobs import run_replay

# Few keys, so that they meet again.
KEYS = 600
USERS = ("u1", "u2", "u3")
PAYER = "payer"
PRICE = 2
THRESHOLDS = {
    "usage": [3, 8, 9, 20, 60],
    "cost": [10, 30, 32, 100],
    "balance": [80, 50, 20],
}
FACTS = """
    SELECT payload ->> 'state_id' AS state_id, payload ->> 'type' AS type,
        payload ->> 'customer_id' AS customer_id, payload ->> 'period_start' AS period_start,
        (payload ->> 'threshold')::numeric AS threshold
    FROM outbox_facts WHERE org_id = $1 AND type = 'AlertTriggered' ORDER BY position
"""
STATES = "SELECT id::text AS state_id FROM alert_states WHERE org_id = $1"


class AlertWorld:
    """An organisation's test mode, whose clock stands still between steps."""

    def __init__(self, backend, dice, tally):
        self.backend, self.dice, self.tally = backend, dice, tally
        self.api = Api.of_new_organization(backend)
        self.auditor = AlertAuditor(THRESHOLDS, PRICE)
        self.sent = {}
        self.balance = Decimal(100)
        self.now = midnight(backend.clock.now()) + timedelta(days=1, hours=9)
        self._set_up()

    def close(self):
        self.api.http.close()

    def _set_up(self):
        self.move_clock(self.now)
        metric = self.api.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": str(PRICE)}
        plan = self.api.plan(price, billing_period="daily")
        other = self.api.plan(price, billing_period="daily")
        for customer in (*USERS, PAYER):
            self.api.customer(customer)
            made = self.api.subscribe(customer, (other if customer == PAYER else plan)["id"])
            start = datetime.fromisoformat(made["start_date"])
            self.auditor.subscribed(made["customer_id"], start)
            self.sent[customer] = made["customer_id"]
        usage_alert(self.api, "plan", plan["id"], metric, *map(str, THRESHOLDS["usage"]))
        alert(self.api, "cost_exceeded", "customer", PAYER, *self._texts("cost"), currency="NGN")
        alert(self.api, "wallet_balance_dropped", "plan", other["id"], *self._texts("balance"))
        self.wallet = self.api.wallet(PAYER, funds="100")
        settle(self.api)
        self.auditor.balance_seen(self.balance)

    def _texts(self, kind):
        return [str(one) for one in THRESHOLDS[kind]]

    def act(self):
        """Something of everything, at random."""
        name, step = self.dice.choices(
            [
                ("ingest", self.ingest),
                ("fold", self.fold),
                ("look", self.look),
                ("crash", self.crash),
                ("replay", self.replay),
                ("move", self.move),
                ("pass time", self.pass_time),
            ],
            weights=[8, 4, 4, 3, 1, 3, 2],
        )[0]
        step()
        self.tally[name, "accepted"] += 1

    def ingest(self):
        """Some requests at once, which share keys."""
        batches = [
            [self._event() for _ in range(self.dice.randint(1, 12))]
            for _ in range(self.dice.randint(1, 4))
        ]
        with ThreadPoolExecutor(len(batches)) as pool:
            answers = list(pool.map(lambda batch: self.api.ingest(*batch), batches))
        for batch, answer in zip(batches, answers, strict=True):
            assert {*answer["ingested"], *answer["duplicates"]} == {
                one["idempotency_key"] for one in batch
            }
            for one in batch:
                instant = datetime.fromisoformat(one["timestamp"])
                customer_id = self.sent[one["customer_id"]]
                self.auditor.took(one["idempotency_key"], customer_id, instant)

    def _event(self):
        key = f"key-{self.dice.randrange(KEYS)}"
        if key not in self.sent:
            customer = self.dice.choice((*USERS, PAYER))
            # What comes late for a closed period is billed with the next one.
            since = midnight(self.now) - (DAY * (customer != PAYER))
            since = max(since, self.auditor.starts[self.sent[customer]])
            span = int((self.now - since).total_seconds())
            instant = since + timedelta(seconds=self.dice.randint(0, max(span - 1, 0)))
            self.sent[key] = (customer, instant)
        customer, instant = self.sent[key]
        return event(key, customer, timestamp=format_instant(instant))

    def fold(self):
        self.backend.run(metering.fold_all(self.backend.services.database))

    def look(self):
        """Some of the looks, by several workers at once."""
        tasks = self.dice.choices((*TASKS, *CLOCK_TASKS), k=self.dice.randint(1, 5))
        self.backend.run(self._work_at_once(tasks))

    async def _work_at_once(self, tasks):
        database = self.backend.services.database
        await asyncio.gather(*(agenda.work_off(database, one, self.api.tenant) for one in tasks))

    def crash(self):
        """Workers that are gone at any moment, with what they had not committed."""
        tasks = self.dice.choices((*TASKS, *CLOCK_TASKS), k=3)
        self.backend.run(self._crash(tasks, self.dice.uniform(0, 0.03)))
        # Whoever takes over what they had claimed does so once the claims lapse.
        self.backend.sql(
            "UPDATE agenda SET claimed_until = NULL WHERE org_id = $1", self.api.org_id
        )

    async def _crash(self, tasks, seconds):
        database = self.backend.services.database
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await metering.fold_all(database)
                await self._work_at_once(tasks)

    def replay(self):
        body = {"from": format_instant(self.now - DAY), "to": format_instant(self.now)}
        answer = self.api.post("/v1/events/replay", json=body)
        run_replay(self.api, answer.json()["job"]["id"])

    def move(self):
        """A movement of the payer's money, and the look at it."""
        amount = self.dice.randint(1, 60)
        if self.dice.random() < 0.5 and amount <= self.balance:
            self.balance -= amount
            answer = self.api.move(self.wallet, "debit", str(amount))
        else:
            self.balance += amount
            answer = self.api.move(self.wallet, "credit", str(amount), "deposit")
        assert answer.status_code == 200, answer.text
        self.backend.run(self._work_at_once(CLOCK_TASKS))
        self.auditor.balance_seen(self.balance)

    def pass_time(self):
        """Some hours, often over the end of a day."""
        self.move_clock(self.now + timedelta(hours=self.dice.randint(1, 20)))

    def move_clock(self, to):
        answer = self.api.post("/v1/test-clock/advance", json={"to": format_instant(to)})
        while answer.json()["status"] == "advancing":
            answer = self.api.get("/v1/test-clock")
        assert answer.status_code == 200, answer.text
        self.now = to

    def check(self):
        """What was told is what the auditor says: each threshold once, in order."""
        settle(self.api)
        facts = self.backend.sql(FACTS, self.api.org_id)
        states = self.backend.sql(STATES, self.api.org_id)
        assert sorted(one["state_id"] for one in facts) == sorted(one["state_id"] for one in states)
        assert self._told(facts, "usage_exceeded") == self._expected("usage", of_payer=False)
        assert self._told(facts, "cost_exceeded") == self._expected("cost", of_payer=True)
        balances = [one for one in facts if one["type"] == "wallet_balance_dropped"]
        assert [one["threshold"] for one in balances] == self.auditor.fallen

    def _expected(self, kind, *, of_payer):
        payer = self.sent[PAYER]
        return {
            place: values
            for place, values in self.auditor.reached(kind).items()
            if (place[0] == payer) is of_payer
        }

    @staticmethod
    def _told(facts, alert_type):
        """The thresholds of each customer's periods, in the order in which they were told."""
        found = {}
        for one in facts:
            if one["type"] == alert_type:
                start = datetime.fromisoformat(one["period_start"])
                found.setdefault((one["customer_id"], start), []).append(one["threshold"])
        return found
