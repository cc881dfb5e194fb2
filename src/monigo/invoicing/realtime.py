"""Realtime billing: every few seconds, wallets pay what running periods have come to."""

from collections.abc import Sequence

from monigo import catalog, customers, metering, subscriptions
from monigo.catalog import BillingMode
from monigo.core.errors import DomainError
from monigo.core.ids import CustomerId, InvoiceId, SubscriptionId
from monigo.infra.database import Database, Tenant, Transaction, as_unavailable
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.invoicing import wallet_payments
from monigo.invoicing.reckoning import reckon
from monigo.invoicing.types import InvoiceKind, Wanted
from monigo.subscriptions import Due, Subscription

log = logger(__name__)

# As a slice of the period close: shares out each query's cost, and is over soon.
CHARGED_AT_ONCE = 500


async def charge_some(database: Database, tenant: Tenant) -> int:
    """Charge some of the subscriptions whose customers' usage changed; how many customers.

    When a slice fails, each of its customers is tried by itself: the subscription at fault is
    flagged and tried again later, and does not stop the others.
    """
    try:
        async with database.transaction(tenant) as tx:
            customer_ids = await metering.take_changed(tx, CHARGED_AT_ONCE)
            if customer_ids:
                await _charge_slice(tx, customer_ids)
            return len(customer_ids)
    except Exception as error:
        if as_unavailable(error) is not None:
            raise
        log.warning("slice failed, trying one by one", reason=str(error))
    async with database.transaction(tenant) as tx:
        customer_ids = await metering.take_changed(tx, CHARGED_AT_ONCE)
    for customer_id in customer_ids:
        await _charge_alone(database, tenant, customer_id)
    return len(customer_ids)


async def _charge_slice(tx: Transaction, customer_ids: Sequence[CustomerId]) -> None:
    owing, busy = await _hold_owing(tx, customer_ids)
    await customers.hold(tx, {one.customer_id for one in owing})
    short = await charge(tx, owing)
    for one in owing:
        if one.id in short:
            await subscriptions.pause_for_balance(tx, one, is_realtime=True)
    await metering.note_charged(tx, [known for known in customer_ids if known not in busy])


async def _charge_alone(database: Database, tenant: Tenant, customer_id: CustomerId) -> None:
    try:
        async with database.transaction(tenant) as tx:
            await _charge_slice(tx, [customer_id])
    except Exception as error:
        if as_unavailable(error) is not None:
            raise
        reason = error.message if isinstance(error, DomainError) else "internal error"
        log.exception("usage not charged", customer_id=str(customer_id), reason=reason)
        async with database.transaction(tenant) as tx:
            owing, busy = await _hold_owing(tx, [customer_id])
            for one in owing:
                # Tried again as an unclosed period is; its next success charges what came since.
                await subscriptions.set_aside(tx, Due(one.id, tx.now, 0), one, reason)
            if not busy:
                await metering.note_charged(tx, [customer_id])


async def _hold_owing(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> tuple[list[Subscription], set[CustomerId]]:
    """These customers' realtime subscriptions, locked, but those set aside; and who is busy."""
    held, busy = await subscriptions.hold_free(tx, customer_ids)
    plans = await catalog.get_plans(tx, {one.plan_id for one in held})
    return [
        one
        for one in held
        if plans[one.plan_id].details.billing_mode is BillingMode.REALTIME and not one.billing_error
    ], busy


async def charge(tx: Transaction, known: Sequence[Subscription]) -> set[SubscriptionId]:
    """Charge the running periods of locked subscriptions; those whose wallets had too little."""
    wanted = [
        Wanted(
            id=InvoiceId(new_id()),
            subscription=one,
            period=period,
            kind=InvoiceKind.INTERIM,
            created_at=tx.now,
            with_minimum=False,
        )
        for one in known
        if (period := subscriptions.first_open_period(one)) is not None
        and period.contains(tx.now)
        and not subscriptions.is_trial(one, period)
    ]
    if not wanted:
        return set()
    reckoned = await reckon(tx, wanted)
    short = await wallet_payments.charge(tx, reckoned)
    return {item.subscription.id for item in wanted if item.id in short}
