"""Which terms a period is billed by: plan revisions, price revisions, overrides. Pure."""

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace

from monigo.catalog.plans.types import AgreedTerms, ApplyTo, PlanHistory, PlanRevision
from monigo.catalog.prices import Price, PriceRevision
from monigo.core.ids import PriceId
from monigo.core.periods import Period

# A subscription that names no start begins with the hour, which is longer where clocks are set back
# by a part of one. What was edited in it before it was made is no later edit to it.
PUT_BACK_MAX = timedelta(minutes=90)


def applicable_revisions(
    history: PlanHistory, *, period: Period, subscribed_at: datetime, subscribed_to: int
) -> tuple[int, ...]:
    """The revisions that apply to a subscription's period (behaviour page, Prices: `apply_to`).

    `subscribed_to` is the latest revision when the subscription was made. It, not the time, decides
    which edits came before and after: a test clock may stand still.
    """
    return tuple(
        revision.revision
        for revision in history.revisions
        if _applies(
            revision, period=period, subscribed_at=subscribed_at, subscribed_to=subscribed_to
        )
    )


def agreed_terms(history: PlanHistory, applicable: Sequence[int]) -> AgreedTerms:
    """What a period is billed by to which these revisions apply; the first applies to all.

    The base fee, and each price, is as the latest applicable revision that changed it made it. A
    price is left out if no applicable revision made it, or the latest of them removed it.
    """
    fee = _fee_revision(history, applicable)
    prices = _prices(_decisive(history.price_revisions, applicable))
    return AgreedTerms(max(applicable), fee.base_fee, fee.revision, prices)


def revisions_with_prices(
    history: PlanHistory,
) -> Iterator[tuple[PlanRevision, tuple[Price, ...]]]:
    """Each revision of a plan with its whole price list as it then stood, oldest first."""
    made: dict[int, list[PriceRevision]] = {known.revision: [] for known in history.revisions}
    for known in history.price_revisions:
        made[known.plan_revision].append(known)
    standing: dict[PriceId, PriceRevision] = {}
    for revision in history.revisions:
        standing |= {known.price.id: known for known in made[revision.revision]}
        yield revision, _prices(standing)


def _applies(
    revision: PlanRevision, *, period: Period, subscribed_at: datetime, subscribed_to: int
) -> bool:
    match revision.apply_to:
        case ApplyTo.ALL:
            return revision.effective_at < period.end
        case ApplyTo.NEXT_PERIOD:
            if period.start <= subscribed_at < period.start + PUT_BACK_MAX:
                return revision.revision <= subscribed_to
            # At one instant periods begin before anything is edited.
            return revision.effective_at < period.start
        case ApplyTo.NEW:
            return revision.revision <= subscribed_to


def _fee_revision(history: PlanHistory, applicable: Container[int]) -> PlanRevision:
    """The latest applicable revision that changed the fee.

    Each revision stores the fee as of then. A revision that did not change the fee is skipped: an
    edit of prices for all must not apply the fee that was meant for new subscriptions.
    """
    (first, *_) = history.revisions
    changes = [
        revision
        for before, revision in pairwise(history.revisions)
        if revision.base_fee != before.base_fee and revision.revision in applicable
    ]
    return changes[-1] if changes else first


def _decisive(
    revisions: Iterable[PriceRevision], applicable: Container[int]
) -> dict[PriceId, PriceRevision]:
    """The latest applicable revision that changed each price's terms, at the latest position.

    A revision that only changed the price's position is skipped: an edit for all must not apply
    terms that were meant for new subscriptions.
    """
    before: dict[PriceId, PriceRevision] = {}
    standing: dict[PriceId, PriceRevision] = {}
    for known in sorted(revisions, key=lambda known: known.price.revision):
        last, price_id = before.get(known.price.id), known.price.id
        before[price_id] = known
        if known.plan_revision not in applicable:
            continue
        if last is None or known.removed or known.price.terms != last.price.terms:
            standing[price_id] = known
        elif price_id in standing:
            standing[price_id] = replace(standing[price_id], position=known.position)
    return standing


def _prices(standing: dict[PriceId, PriceRevision]) -> tuple[Price, ...]:
    """The prices that are not removed, in the plan's order."""
    present = [known for known in standing.values() if not known.removed]
    present.sort(key=lambda known: (known.position, known.price.id))
    return tuple(known.price for known in present)
