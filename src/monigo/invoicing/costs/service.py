"""What periods have come to so far, as the upcoming invoice shows it."""

from collections.abc import Sequence
from decimal import Decimal

from monigo.core.ids import SubscriptionId
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.invoicing.costs import store
from monigo.invoicing.rating import rate
from monigo.invoicing.service import foreseen
from monigo.invoicing.types import InvoiceRequest
from monigo.subscriptions import Subscription


async def costs_of(
    tx: Transaction, periods: Sequence[tuple[Subscription, Period]]
) -> list[Decimal]:
    """What each period has come to: the totals of its live invoices, and of the upcoming one.

    A closed period has no upcoming invoice. The periods are billed ones.

    Raises:
        DomainError: conflict, when an amount is more than an invoice can hold.
    """
    invoiced = await store.sum_totals(tx, periods)
    upcoming: dict[int, Decimal] = {}
    # Rating takes one invoice of a subscription at a time.
    rounds: list[dict[SubscriptionId, tuple[int, InvoiceRequest]]] = []
    for place, (known, period) in enumerate(periods):
        if period.end <= known.closed_until:
            continue
        seen, whole = await foreseen(tx, known, period)
        free = next((one for one in rounds if known.id not in one), None)
        if free is None:
            rounds.append(free := {})
        free[known.id] = place, InvoiceRequest.closing_of(seen, whole)
    for one in rounds:
        rated = await rate(tx, [item for _, item in one.values()])
        for (place, _), item in zip(one.values(), rated, strict=True):
            upcoming[place] = item.totals.total
    return [
        EXACT.add(total, upcoming.get(place, Decimal(0))) for place, total in enumerate(invoiced)
    ]
