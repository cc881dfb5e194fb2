"""Use cases of the start page."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg

from monigo import invoicing, metering, tenancy
from monigo.core.periods import Period, midnight_days_ago
from monigo.infra import agenda, registry
from monigo.infra.db import Transaction
from monigo.reports.dashboard import needs_store, store
from monigo.reports.dashboard.types import (
    Amounts,
    Dashboard,
    Figures,
    Need,
    NeedKind,
    NeedsPerson,
)

# What a page shows of each kind; the rest is behind a link.
SHOWN_MAX = 10
# Before anything that there can be.
EVER = datetime(1970, 1, 1, tzinfo=UTC)
NOTHING = Decimal(0)


async def dashboard(tx: Transaction, since: datetime | None) -> Dashboard:
    """The start page, for today and a period that ends with today; None: all there ever was.

    `since` is a midnight in the organisation's zone.
    """
    billing = (await tenancy.get_organization(tx)).billing
    end = midnight_days_ago(tx.now, -1, billing.timezone)
    today = Period(midnight_days_ago(tx.now, 0, billing.timezone), end)
    period = Period(min(since or EVER, today.start), end)
    events_today, events = await metering.count_events(tx, [today, period])
    final = {row["currency"]: row for row in await store.sum_final(tx, period, today.start)}
    paid = {row["currency"]: row for row in await store.sum_paid(tx, period, today.start)}
    currencies = sorted({billing.default_currency, *final, *paid})
    return Dashboard(
        as_of=tx.now,
        timezone=billing.timezone,
        today=Figures(
            today, events_today, tuple(_amounts(one, final, paid, "_today") for one in currencies)
        ),
        period=Figures(period, events, tuple(_amounts(one, final, paid, "") for one in currencies)),
        owed_to_payees=await store.sum_owed_to_payees(tx),
        needs=tuple(await registry.gather(tx, NeedsPerson(SHOWN_MAX))),
    )


async def waiting_for_person(tx: Transaction, asked: NeedsPerson) -> Sequence[Need]:
    """What waits for a person in the domains below; kinds of which nothing does are absent."""
    return [
        *await _set_aside(tx, asked.shown_max),
        *await needs_store.waiting(tx, asked.shown_max),
    ]


async def _set_aside(tx: Transaction, shown_max: int) -> list[Need]:
    """Work that failed: whose period does not close, and all other."""
    counted = await agenda.count_set_aside(tx, shown_max)
    closes = counted.pop(invoicing.CLOSE.kind.name, None)
    others = list(counted.values())
    needs: list[Need] = []
    if closes is not None:
        needs.append(Need(NeedKind.SUBSCRIPTIONS_SET_ASIDE, closes.count, closes.subjects))
    if others:
        subjects = [subject for one in others for subject in one.subjects]
        needs.append(
            Need(
                NeedKind.WORK_SET_ASIDE,
                sum(one.count for one in others),
                tuple(subjects[:shown_max]),
            )
        )
    return needs


def _amounts(
    currency: str,
    final: Mapping[str, asyncpg.Record],
    paid: Mapping[str, asyncpg.Record],
    suffix: str,
) -> Amounts:
    """A currency's amounts, of the columns with a suffix."""
    of_final, of_paid = final.get(currency, {}), paid.get(currency, {})
    return Amounts(
        currency=currency,
        billed=of_final.get(f"billed{suffix}", NOTHING),
        collected=of_paid.get(f"collected{suffix}", NOTHING),
        owed_to_payees=of_final.get(f"owed_to_payees{suffix}", NOTHING),
        paid_out=of_paid.get(f"paid_out{suffix}", NOTHING),
    )
