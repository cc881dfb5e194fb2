"""Retention and invoices: what drafts still need, and what can be billed no more without it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monigo import metering, subscriptions
from monigo.core.errors import conflict
from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction
from monigo.invoicing import documents
from monigo.invoicing.types import RatedInvoice
from monigo.metering import UsageQuery

# So long after it was last made or refreshed a draft keeps its period's events whole: as long as
# an event may come late. A draft that was forgotten must not keep them for ever.
DRAFT_KEEPS = timedelta(days=90)


async def open_from(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[CustomerId, datetime]:
    """When the first period began that is not closed, or has a draft, for customers who have one.

    Drafts count for `DRAFT_KEEPS` after they were last refreshed.
    """
    opened = await subscriptions.open_from(tx, customer_ids)
    drafted = await documents.drafts_from(tx, customer_ids, refreshed_since=tx.now - DRAFT_KEEPS)
    for customer_id, start in drafted.items():
        opened[customer_id] = min(start, opened.get(customer_id, start))
    return opened


async def check_can_be_read(tx: Transaction, rated: Sequence[RatedInvoice]) -> None:
    """Raise conflict where a closed period was just counted without what its events had held."""
    queries = [
        UsageQuery(item.wanted.subscription.customer_id, price.metric, item.terms.windows)
        for item in rated
        if item.wanted.period.end <= item.wanted.subscription.closed_until
        for price in item.terms.prices
    ]
    if queries and await metering.misses_redacted_events(tx, queries):
        message = "the period's usage can't be read any more: its events are beyond the retention"
        raise conflict("beyond_retention", message)
