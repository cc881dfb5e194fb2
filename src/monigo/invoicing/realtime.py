"""Realtime billing: every few seconds, wallets pay what running periods have come to."""

from collections.abc import Sequence

from monigo import catalog, customers, metering, subscriptions
from monigo.catalog import BillingMode
from monigo.core.ids import InvoiceId, SubscriptionId
from monigo.infra.database import Database, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.invoicing import wallet_payments
from monigo.invoicing.reckoning import reckon
from monigo.invoicing.types import InvoiceKind, Wanted
from monigo.subscriptions import Subscription

# As a slice of the period close: shares out each query's cost, and is over soon.
CHARGED_AT_ONCE = 500


async def charge_some(database: Database, tenant: Tenant) -> int:
    """Charge some of the subscriptions whose customers' usage changed; how many customers."""
    async with database.transaction(tenant) as tx:
        customer_ids = await metering.take_changed(tx, CHARGED_AT_ONCE)
        if not customer_ids:
            return 0
        held, busy = await subscriptions.hold_free(tx, customer_ids)
        plans = await catalog.get_plans(tx, {one.plan_id for one in held})
        owing = [
            one for one in held if plans[one.plan_id].details.billing_mode is BillingMode.REALTIME
        ]
        await customers.hold(tx, {one.customer_id for one in owing})
        short = await charge(tx, owing)
        for one in owing:
            if one.id in short:
                await subscriptions.pause_for_balance(tx, one, is_realtime=True)
        await metering.note_charged(tx, [known for known in customer_ids if known not in busy])
    return len(customer_ids)


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
    reckoned = await reckon(tx, wanted)
    short = await wallet_payments.charge(tx, reckoned)
    return {item.subscription.id for item in wanted if item.id in short}
