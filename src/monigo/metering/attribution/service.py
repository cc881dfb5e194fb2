"""Works out what events are worth by payout rules, and to whom."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from monigo import customers
from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering.attribution import store
from monigo.metering.attribution.rules import amounts_by, name_customers
from monigo.metering.attribution.types import Amounts, Rule, Seen
from monigo.metering.rules import AGE_MAX, AHEAD


async def of_batches(tx: Transaction, batch_ids: Sequence[UUID]) -> AsyncIterator[Amounts]:
    """What the events of batches are worth, rule by rule."""
    rules = await store.load_rules(tx, ended_after=tx.now - AGE_MAX - AHEAD)
    if not rules:
        return
    names = await store.names_of_batches(tx, batch_ids)
    for rule in rules:
        if rule.event_name in names:
            yield await _amounts(tx, rule, await store.events_of_batches(tx, rule, batch_ids))


async def of_customers(
    tx: Transaction, metric_id: MetricId, customer_ids: Sequence[CustomerId], hours: Period
) -> AsyncIterator[Amounts]:
    """What the folded events of customers are worth by one rule, which may have ended."""
    rules = await store.load_rules(tx, ended_after=None, metric_id=metric_id)
    for rule in rules:
        events = await store.events_of_customers(tx, rule, customer_ids, hours)
        yield await _amounts(tx, rule, events)


async def _amounts(tx: Transaction, rule: Rule, events: Sequence[Seen]) -> Amounts:
    found = amounts_by(rule, events)
    named = set(found.recipients) - {""}
    name_customers(found, await customers.resolve(tx, named) if named else {})
    return found
