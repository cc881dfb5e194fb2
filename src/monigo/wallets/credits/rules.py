"""Pure rules of credit grants: which of them pay, in which order, and until when."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import conflict, ensure
from monigo.core.ids import MetricId
from monigo.core.money import EXACT, whole_minor_units
from monigo.wallets.credits.types import Consumption, CreditGrant, PaidPart

# As long as events are taken and subscriptions may begin in the past: what is still open by then,
# as under a pause that nobody lifts, is billed without the grant.
KEPT_AFTER_EXPIRY = timedelta(days=90)
LOOK_AGAIN_AFTER = timedelta(minutes=1)


def plan_consumption(
    grants: Sequence[CreditGrant],
    due: Mapping[MetricId | None, Decimal],
    instant: datetime,
    *,
    amount: Decimal | None = None,
) -> list[Consumption]:
    """Which grants pay how much of what is due, before money does; at most `amount` in all.

    By priority, the lowest first, then the earliest expiry, then the oldest. A grant of named
    metrics pays for those alone, in the order in which they are due. One that expired before
    `instant` (see `payable_at`) pays nothing.
    """
    unpaid = dict(due)
    rest = sum(due.values(), Decimal(0)) if amount is None else amount
    plan: list[Consumption] = []
    for grant in sorted(grants, key=_consumption_order):
        left = Decimal(0) if _has_expired(grant, instant) else grant.remaining
        for metric_id, owed in unpaid.items():
            if grant.metric_ids and metric_id not in grant.metric_ids:
                continue
            paid = min(left, owed, rest)
            if paid > 0:
                left -= paid
                rest -= paid
                unpaid[metric_id] = owed - paid
                plan.append(Consumption(grant.id, metric_id, paid))
    return plan


def payable_at(period_end: datetime, now: datetime) -> datetime:
    """The instant at which a grant must not have expired to pay for a period.

    It can pay while `expires_at >= min(period_end, now)` (behaviour page, Wallets and ledger).
    """
    return min(period_end, now)


def in_minor_units(plan: Sequence[Consumption], currency: str) -> list[Consumption]:
    """The plan, cut at its end to an amount that leaves a rest which can be paid in a currency."""
    planned = reduce(EXACT.add, (part.amount for part in plan), Decimal(0))
    beyond = EXACT.subtract(planned, whole_minor_units(planned, currency))
    kept: list[Consumption] = []
    for part in reversed(plan):
        cut = min(beyond, part.amount)
        beyond -= cut
        if cut < part.amount:
            kept.append(replace(part, amount=EXACT.subtract(part.amount, cut)))
    return kept[::-1]


def parts_of(
    plan: Sequence[Consumption], due: Mapping[MetricId | None, Decimal], by_money: Decimal
) -> list[PaidPart]:
    """What grants paid by plan and money paid beside them, by metric.

    Money pays what credits leave of each metric, in the order in which they are due.
    """
    unpaid = dict(due)
    parts: list[PaidPart] = []
    for one in plan:
        parts.append(PaidPart(one.grant_id, one.metric_id, one.amount))
        unpaid[one.metric_id] -= one.amount
    for metric_id, owed in unpaid.items():
        paid = min(owed, by_money)
        if paid > 0:
            by_money -= paid
            parts.append(PaidPart(None, metric_id, paid))
    ensure(not by_money, "all that money pays is due for something")
    return parts


def check_can_revoke(grant: CreditGrant) -> None:
    """Raise conflict for a grant that is revoked already."""
    if grant.revoked_at is not None:
        raise conflict("credit_revoked", "the credit is revoked already")


def may_still_pay(grant: CreditGrant, period_end: datetime | None, now: datetime) -> bool:
    """Whether what an expired grant holds may pay an open period, the first of which ends then.

    Only for so long after its expiry (`KEPT_AFTER_EXPIRY`).
    """
    return (
        period_end is not None
        and grant.remaining > 0
        and grant.expires_at is not None
        and grant.expires_at >= period_end
        and now < grant.expires_at + KEPT_AFTER_EXPIRY
    )


def look_again_at(expires_at: datetime, now: datetime) -> datetime:
    """When to look again at an expired grant while a period that it may pay is open.

    Soon at first, then ever later, for a period may stay open as long as its subscription is
    paused; but not beyond `KEPT_AFTER_EXPIRY`.
    """
    waited = max(now - expires_at, LOOK_AGAIN_AFTER)
    return max(now + LOOK_AGAIN_AFTER, min(now + waited, expires_at + KEPT_AFTER_EXPIRY))


def _consumption_order(grant: CreditGrant) -> tuple[int, bool, datetime, datetime, UUID]:
    expires_at = grant.expires_at or grant.created_at
    return (grant.priority, grant.expires_at is None, expires_at, grant.created_at, grant.id)


def _has_expired(grant: CreditGrant, instant: datetime) -> bool:
    return grant.expires_at is not None and grant.expires_at < instant
