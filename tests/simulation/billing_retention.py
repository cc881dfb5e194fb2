"""What retention takes from events, and which periods can be counted no more without it.

Written from the README: what is still to be billed keeps its events, and so does a draft for 90
days; sums by the hour stay.
"""

from datetime import datetime
from typing import Any

from simulation.auditor import Kept, Rule
from simulation.billing_books import Books, Frozen
from simulation.billing_subscriptions import Span
from simulation.billing_wire import DAY, HOUR, at, hour_before

# A draft that nobody has refreshed for so long keeps nothing.
DRAFT_KEEPS = 90 * DAY
# Events are emptied a day later than they may be.
MARGIN = DAY
# So far back the hours of a metric that counts otherwise are summed up anew.
SUMMED_BACK = 400 * DAY - 2 * HOUR


def empty(books: Books, now: datetime, drafts: list[dict[str, Any]]) -> None:
    """Old events lose their properties, but those that are still to be billed."""
    if books.retention is None:
        return
    until = hour_before(now - books.retention * DAY - MARGIN)
    if books.emptied_until is not None and until <= books.emptied_until:
        return
    books.emptied_until = until
    ends: dict[str, datetime] = {}
    for sub in books.subs.values():
        if (span := sub.first_open()) is not None:
            ends[sub.customer] = min(span[0], ends.get(sub.customer, until))
    for draft in drafts:
        if at(draft["updated_at"]) > now - DRAFT_KEEPS:
            customer, start = draft["customer_id"], draft["period_start"]
            ends[customer] = min(start, ends.get(customer, until))
    books.emptied |= {
        key
        for key, event in books.usage.events.items()
        if event.at < min(until, ends.get(event.customer, until))
    }


def can_be_read(books: Books, frozen: Frozen) -> bool:
    """Whether no price of a period needs what an event has lost: its hours are summed up."""
    gone = [
        books.usage.events[key]
        for key in books.emptied
        if books.usage.events[key].customer == frozen.sub.customer
    ]
    return not any(
        needs(event, rule, frozen.windows, books.summed_from[metric])
        for _, rule, metric in frozen.prices.values()
        for event in gone
    )


def needs(event: Kept, rule: Rule, windows: list[Span], summed_from: datetime) -> bool:
    """Whether an event's own properties are looked at for a metric's usage."""
    is_counted_only = rule.aggregation == "count" and not rule.filters and not rule.group_by
    if event.name != rule.event_name or is_counted_only:
        return False
    hour = hour_before(event.at), hour_before(event.at) + HOUR
    return any(
        start <= event.at < end and not (max(start, summed_from) <= hour[0] and hour[1] <= end)
        for start, end in windows
    )


def summed_since(now: datetime) -> datetime:
    """From when on the hours are summed up of a metric that is defined now."""
    return hour_before(now - SUMMED_BACK)
