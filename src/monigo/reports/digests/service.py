"""Reports a period's digest, some customers at a time; each of them once, whatever crashes."""

from datetime import timedelta

from monigo.core.ids import UsageDigestId
from monigo.core.periods import Period
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.reports.digests import store
from monigo.reports.digests.events import OF_CUSTOMER, OF_ORGANIZATION
from monigo.reports.digests.types import Span

# A fact for each, which commits in one transaction.
CUSTOMERS_A_STEP = 500
# Longer than any period is reported after its end.
DONE_KEPT_FOR = timedelta(days=400)


async def report_some(tx: Transaction, span: Span, period: Period) -> bool:
    """Report what the next customers used, or at the end all together; whether there is more.

    Who used nothing is not reported. What was folded by now counts.
    """
    progress = await store.lock(tx, span, period)
    if progress.is_done:
        return False
    customer_ids = await store.customers_after(tx, progress.after, CUSTOMERS_A_STEP)
    if not customer_ids:
        await _report_totals(tx, span, period)
        return False
    used = await store.list_usage(tx, customer_ids, period)
    await outbox.emit(
        tx,
        [
            OF_CUSTOMER[span](
                digest_id=UsageDigestId(new_id()),
                customer_id=one.customer_id,
                period_start=period.start,
                period_end=period.end,
                metrics=one.metrics,
            )
            for one in used
        ],
    )
    await store.go_on(tx, span, period, customer_ids)
    return True


async def _report_totals(tx: Transaction, span: Span, period: Period) -> None:
    totals = await store.end(tx, span, period)
    await store.forget_before(tx, period.start - DONE_KEPT_FOR)
    if totals:
        fact = OF_ORGANIZATION[span](
            digest_id=UsageDigestId(new_id()),
            period_start=period.start,
            period_end=period.end,
            metrics=tuple(totals),
        )
        await outbox.emit(tx, [fact])
