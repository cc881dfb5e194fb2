"""A merchant whom random things happen to, and the auditor who watches."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from monigo import catalog, customers, invoicing, metering, tenancy
from monigo.catalog import MetricDefinition, MetricFilter
from monigo.cli.verification import verify_tenant
from monigo.core.aggregation import Aggregation
from monigo.core.errors import DomainError
from monigo.core.paging import PageRequest
from monigo.core.periods import Period
from monigo.customers import CustomerDetails
from monigo.infra import queue
from monigo.infra.db import Tenant
from monigo.metering import Event, Ingestor, ReplayRequest, StepSize, UsageQuery
from monigo.metering.rollup.folding import fold_some
from monigo.tenancy import KeyReference
from simulation.auditor import Auditor, Rule

EVENT_NAMES = ("call", "byte", "ride")
# Few keys, so that they meet again; few customers and hours, so that buckets fill.
KEYS = 400
CUSTOMERS = 3
METRICS_MAX = 8
SPAN_HOURS = 4
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
PROPERTIES = ("n", "user", "kind")
NUMBERS = (
    *("0", "1", "1.0", "1.00", "2.5", "-3", "1e2", "1.5e1", "1e-12", "1e-13", "1e17", "1e18"),
    *("999999999999999999.999999999999", "-0.000000000001", "1.1234567890123"),
    *("0.0000000000005", "0.0000000000025", "-0.0000000000015", "0.30000000000000004"),
    *("12.345678901234567", "999999999999999999.9999999999995", "1e-30"),
)
TEXTS = (
    *("", "1", "1.0", "-2.75", "1e3", "1_000", " 12 ", "NaN", "+1", ".5", "5.", "1\n", "0x1"),
    *("123456789012345678", "1234567890123456789", "0.1234567890123", "Åsa", "ß", "😀", "x" * 300),
    *(
        "0.0000000000005",
        "-2.0000000000015",
        "1.",
        "-",
        "--1",
        "\u0661",
        "1.0000000000000000000001",
    ),
)
ODD = ("null", "true", "false", "[]", "[1, 2]", "{}", '{"a": 1}')
FILTERS: tuple[tuple[str, str, Any], ...] = (
    ("n", ">", 1),
    ("n", ">=", "2.5"),
    ("user", ">", "2.5"),
    ("n", ">", "0.3"),
    ("n", "<=", "0.30000000000000004"),
    ("n", "<", 100),
    ("n", "<=", 0),
    ("n", ">", "0.000000000001"),
    ("n", "=", 1),
    ("user", "=", "1"),
    ("user", "!=", "Åsa"),
    ("kind", "=", True),
    ("kind", "!=", False),
    ("user", "in", ["1", "ß", 1]),
    ("user", "not in", ["", "😀", True]),
    ("kind", "exists", None),
)


@dataclass(frozen=True)
class Sent:
    """An event on its way: what the system is told, and what the auditor will keep."""

    key: str
    customer: int
    name: str
    at: datetime
    properties: str
    by_id: bool


class World:
    """One tenant. Every operation takes the dice that decide it."""

    def __init__(self, backend, tally: Counter | None = None) -> None:
        self.backend = backend
        self.tally = Counter() if tally is None else tally
        self.services = backend.services
        self.database = backend.services.database
        self.auditor = Auditor()
        # As two processes have them: each remembers customers on its own.
        limits = self.services.limits
        self.ingestors = [Ingestor(self.database, limits), Ingestor(self.database, limits)]
        self.now = backend.clock.now()
        self.origin = self.now.replace(minute=0, second=0, microsecond=0) - SPAN_HOURS * HOUR
        self.customer_ids: list[Any] = []
        self.metrics: dict[Any, Rule] = {}
        self.story: list[str] = []
        self.run(self._found())

    def run(self, coroutine):
        return self.backend.run(coroutine)

    def act(self, dice: random.Random) -> None:
        """Do something at random."""
        operations = {
            self.ingest: 30,
            self.ingest_side_by_side: 10,
            self.ingest_and_hang_up: 4,
            self.ingest_nonsense: 4,
            self.fold: 12,
            self.read: 25,
            self.define: 4,
            self.redefine: 5,
            self.replay: 6,
            self.replay_in_part: 4,
            self.start_replay: 2,
            self.replace_customer: 2,
            self.verify: 2,
        }
        chosen = dice.choices(list(operations), weights=list(operations.values()))[0]
        self.story.append(chosen.__name__)
        chosen(dice)
        self.tally[chosen.__name__, "accepted"] += 1

    def ingest_nonsense(self, dice) -> None:
        """A batch of which one event is bad: all of it is refused, and can be sent again."""
        batch = self._batch(dice, fresh=f"refused-{len(self.story)}-")
        wrong = dice.choice(batch)
        old = self.now - timedelta(days=90, seconds=1)
        bad = replace(wrong, **dice.choice(({"at": old}, {"customer": CUSTOMERS})))
        sent = [bad if one is wrong else one for one in batch]
        with pytest.raises(DomainError) as refusal:
            self.run(self._send(dice.randrange(2), sent))
        assert {name.split(".")[0] for name in refusal.value.fields} == {
            f"events[{sent.index(bad)}]"
        }
        self.tally["ingest_nonsense", "refused"] += 1
        self._note(batch, self.run(self._send(dice.randrange(2), batch)))

    def ingest(self, dice) -> None:
        """One batch through one ingestor."""
        batch = self._batch(dice)
        self._note(batch, self.run(self._send(dice.randrange(2), batch)))

    def ingest_side_by_side(self, dice) -> None:
        """Several batches at once, with keys in common."""
        batches = [self._batch(dice) for _ in range(dice.randint(2, 5))]
        batches[-1] = [*batches[0][:2], *batches[-1]]
        places = [dice.randrange(2) for _ in batches]

        async def send_all():
            sending = [self._send(*each) for each in zip(places, batches, strict=True)]
            return await asyncio.gather(*sending)

        for batch, result in zip(batches, self.run(send_all()), strict=True):
            self._note(batch, result)

    def ingest_and_hang_up(self, dice) -> None:
        """The client does not wait for its answer, and sends the same once more."""
        batch, place = self._batch(dice, fresh=f"lost-{len(self.story)}-"), dice.randrange(2)

        async def send_twice():
            sending = asyncio.create_task(self._send(place, batch))
            await asyncio.sleep(dice.choice((0, 0, 0.001, 0.005)))
            sending.cancel()
            return await self._send(dice.randrange(2), batch)

        result = self.run(send_twice())
        told = {*result.ingested, *result.duplicates}
        assert told == {event.key for event in batch}
        # Whichever of the two was stored, they are the same.
        self._keep_first(batch, told)

    def fold(self, dice) -> None:
        """Fold some of what waits, or all; sometimes two workers at once."""

        async def fold():
            for _ in range(dice.choice((1, 1, 50))):
                folded = await fold_some(self.database, self.tenant)
                if not folded:
                    break

        async def fold_twice():
            await asyncio.gather(fold(), fold())

        self.run(fold_twice() if dice.random() < 0.3 else fold())

    def read(self, dice) -> None:
        """Some customers' usage by some metrics, in random windows."""
        asked = [
            (
                dice.choice(self.customer_ids),
                dice.choice(list(self.metrics)),
                self._windows(dice),
                dice.random() < 0.2,
            )
            for _ in range(dice.randint(1, 6))
        ]
        self.compare(asked)

    def read_all(self) -> None:
        """Every customer's whole usage by every metric."""
        whole = [(self.origin - 100 * HOUR, self.origin + 100 * HOUR)]
        self.compare(
            [
                (customer, metric, whole, False)
                for customer in self.customer_ids
                for metric in self.metrics
            ]
        )

    def compare(self, asked) -> None:
        for (customer, metric, windows, _), usage in zip(
            asked, self.run(self._measure(asked)), strict=True
        ):
            rule = self.metrics[metric]
            answer = self.auditor.usage(str(customer), rule, windows)
            told = (
                usage.quantity,
                usage.event_count,
                usage.first_event_at,
                usage.last_event_at,
                dict(usage.groups),
                usage.uncounted_events,
            )
            known = (
                answer.quantity,
                answer.event_count,
                answer.first,
                answer.last,
                answer.groups,
                answer.uncounted,
            )
            assert told == known, (
                f"told {told}, known {known}: customer {customer}, {rule}, {windows}"
            )

    def define(self, dice) -> None:
        """A new metric."""
        if len(self.metrics) >= METRICS_MAX:
            return
        rule = self._rule(dice)

        async def define():
            async with self.database.transaction(self.tenant) as tx:
                return await metering.define_metric(tx, definition_of(rule))

        self.metrics[self.run(define()).id] = rule

    def redefine(self, dice) -> None:
        """Another definition of a metric that exists."""
        metric, rule = dice.choice(list(self.metrics)), self._rule(dice)
        definition = definition_of(rule)
        changes = {name: getattr(definition, name) for name in definition.__struct_fields__}

        async def redefine():
            async with self.database.transaction(self.tenant) as tx:
                await metering.redefine_metric(tx, metric, changes)

        self.run(redefine())
        self.metrics[metric] = rule

    def replay(self, dice) -> None:
        """Take every unfinished replay to its end, in steps of a few events."""
        size = dice.randint(1, 30)

        async def replay():
            for job in await self._unfinished():
                try:
                    kind = invoicing.replay_job(StepSize(size, 1))
                    await queue.run(kind, self.database, self.tenant, job.id, asyncio.Event())
                except queue.TryLaterError:
                    continue

        self.run(replay())

    def replay_in_part(self, dice) -> None:
        """Some steps of a replay, as by a worker that dies then."""
        steps, size = dice.randint(1, 3), StepSize(dice.randint(1, 10), 1)

        async def replay():
            # One at a time is under way, and it goes on before another begins.
            unfinished = sorted(
                await self._unfinished(), key=lambda job: job.status != "processing"
            )
            for job in unfinished[:1]:
                async with self.database.transaction(self.tenant) as tx:
                    begun = await metering.begin_replay(tx, job.id)
                for _ in range(steps if begun else 0):
                    async with self.database.transaction(self.tenant) as tx:
                        await metering.replay_some(tx, job.id, size)

        self.run(replay())

    def start_replay(self, dice) -> None:
        """A merchant asks for some hours to be counted anew."""
        start = self.origin + timedelta(minutes=dice.randint(-60, 60 * SPAN_HOURS))
        end = start + timedelta(minutes=dice.randint(1, 300))
        request = ReplayRequest(start, end, dice.choice(("", *EVENT_NAMES)), dice.random() < 0.2)

        async def start_replay():
            async with self.database.transaction(self.tenant) as tx:
                await metering.start_replay(tx, request, initiated_by="test")

        self.run(start_replay())

    def replace_customer(self, dice) -> None:
        """A customer is deleted, and another takes its external id."""
        place = dice.randrange(CUSTOMERS)

        async def replace():
            async with self.database.transaction(self.tenant) as tx:
                await customers.delete(tx, str(self.customer_ids[place]))
            return await self._create_customer(place)

        self.customer_ids[place] = self.run(replace())

    def verify(self, _dice=None) -> None:
        """The system's own verification finds nothing."""
        verifications = self.run(verify_tenant(self.database, self.tenant))
        assert [each.differences for each in verifications] == [[] for _ in verifications]

    def settle(self) -> None:
        """Fold and replay whatever waits; then everything is read and verified once more."""
        self.read_all()
        dice = random.Random(0)
        self.run(self._fold_rest())
        self.read_all()
        for _ in range(3):
            self.replay(dice)
        assert self.run(self._unfinished()) == []
        self.read_all()
        self.verify()

    async def _found(self) -> None:
        organization = await tenancy.create_organization(self.database, "simulated")
        self.tenant = Tenant(organization.id, is_test=True)
        issued = await tenancy.issue_key(
            self.database, organization.id, name="simulated", is_test_mode=True
        )
        self.caller = KeyReference(self.tenant, issued.key.id)
        self.customer_ids = [await self._create_customer(place) for place in range(CUSTOMERS)]
        for rule in (
            Rule("call", "count"),
            Rule("byte", "sum", "n"),
            Rule("ride", "unique", "user"),
        ):
            async with self.database.transaction(self.tenant) as tx:
                metric = await metering.define_metric(tx, definition_of(rule))
            self.metrics[metric.id] = rule

    async def _create_customer(self, place: int):
        async with self.database.transaction(self.tenant) as tx:
            details = CustomerDetails(f"customer-{place}", "", "", "", {})
            return (await customers.create(tx, details))[0].id

    async def _unfinished(self):
        async with self.database.transaction(self.tenant) as tx:
            page = await metering.list_replays(tx, PageRequest(100, 0))
        # Oldest first.
        return [job for job in reversed(page.items) if job.status in {"pending", "processing"}]

    async def _fold_rest(self) -> None:
        while await fold_some(self.database, self.tenant):
            pass

    async def _measure(self, asked):
        async with self.database.transaction(self.tenant) as tx:
            known = await catalog.get_metrics(tx, {metric for _, metric, _, _ in asked})
            queries = [
                UsageQuery(
                    customer, known[metric], () if is_raw else spans, spans if is_raw else ()
                )
                for customer, metric, windows, is_raw in asked
                for spans in [[Period(*window) for window in windows]]
            ]
            return await metering.measure(tx, queries)

    async def _send(self, place: int, batch: list[Sent]):
        return await self.ingestors[place].ingest(
            self.caller, [self._event(sent) for sent in batch]
        )

    def _event(self, sent: Sent) -> Event:
        is_known = sent.customer < CUSTOMERS
        customer = str(self.customer_ids[sent.customer]) if is_known else "nobody"
        return Event(
            event_name=sent.name,
            customer_id=customer if sent.by_id else f"customer-{sent.customer}",
            idempotency_key=sent.key,
            timestamp=sent.at.isoformat().replace("+00:00", "Z"),
            properties=msgspec.Raw(sent.properties.encode()),
        )

    def _note(self, batch: list[Sent], result) -> None:
        assert len(result.ingested) + len(result.duplicates) == len(batch)
        assert len(set(result.ingested)) == len(result.ingested)
        self._keep_first(batch, set(result.ingested))

    def _keep_first(self, batch: list[Sent], keys: set[str]) -> None:
        for sent in batch:
            if sent.key in keys:
                keys.discard(sent.key)
                customer = str(self.customer_ids[sent.customer])
                self.auditor.keep(sent.key, customer, sent.name, sent.at, sent.properties)

    def _batch(self, dice, fresh: str = "") -> list[Sent]:
        return [
            Sent(
                key=f"{fresh}{place}" if fresh else f"key-{dice.randrange(KEYS)}",
                customer=dice.randrange(CUSTOMERS),
                name=dice.choice(EVENT_NAMES),
                at=self._instant(dice),
                properties=self._properties(dice),
                by_id=dice.random() < 0.3,
            )
            for place in range(dice.randint(1, 12))
        ]

    def _instant(self, dice) -> datetime:
        """Often on the boundary of an hour, or a microsecond beside it."""
        hour = self.origin + dice.randrange(SPAN_HOURS + 1) * HOUR
        within = dice.choice(
            (timedelta(), MICROSECOND, -MICROSECOND, timedelta(seconds=dice.randrange(3600)))
        )
        return min(hour + within, self.now + timedelta(minutes=50))

    def _windows(self, dice) -> list[tuple[datetime, datetime]]:
        """Up to three windows that don't overlap."""
        edges = sorted({self._instant(dice) for _ in range(dice.choice((2, 2, 4, 6)))})
        edges = edges[: len(edges) // 2 * 2]
        return list(zip(edges[::2], edges[1::2], strict=True))

    def _properties(self, dice) -> str:
        parts = []
        for name in PROPERTIES:
            kind = dice.random()
            if kind < 0.4:
                parts.append(f'"{name}": {dice.choice(NUMBERS)}')
            elif kind < 0.8:
                parts.append(f'"{name}": {json.dumps(dice.choice(TEXTS))}')
            elif kind < 0.9:
                parts.append(f'"{name}": {dice.choice(ODD)}')
        return "{" + ", ".join(parts) + "}"

    def _rule(self, dice) -> Rule:
        aggregation = dice.choice(("count", "sum", "max", "minimum", "average", "unique"))
        return Rule(
            event_name=dice.choice(EVENT_NAMES),
            aggregation=aggregation,
            counted="" if aggregation == "count" else dice.choice(PROPERTIES),
            filters=tuple(dice.sample(FILTERS, dice.choice((0, 0, 1, 2)))),
            group_by=dice.choice(("", "user", "kind")) if aggregation in {"count", "sum"} else "",
        )


def definition_of(rule: Rule) -> MetricDefinition:
    """The rule in the system's own words."""
    return MetricDefinition(
        name="simulated",
        event_name=rule.event_name,
        aggregation=Aggregation(rule.aggregation),
        aggregation_property=rule.counted,
        description="",
        filters=tuple(MetricFilter(*condition) for condition in rule.filters),
        group_by=rule.group_by,
    )
