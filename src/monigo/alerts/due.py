"""Kinds of due work of alerts, and when facts of others make some due."""

from collections.abc import Sequence

from monigo import subscriptions
from monigo.alerts import store
from monigo.alerts.types import AlertType
from monigo.catalog import MetricEdited
from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Transaction

# Of an alert: it is new or was changed, so that all in its scope is looked at.
ALERT_LOOK = Kind("alert_look", Follows.TENANT)
# Of a subscription: a period has begun, or it may have reached a threshold.
SUBSCRIPTION_LOOK = Kind("alerts_of_subscription", Follows.TENANT)
# Of a subscription: its cost may have reached a threshold.
COST_LOOK = Kind("alerts_of_cost", Follows.REAL)


async def note_subscriptions(
    tx: Transaction, facts: Sequence[subscriptions.events.SubscriptionFact]
) -> None:
    """Have subscriptions looked at whose periods are others now, where there are alerts."""
    types = await store.enabled_types(tx)
    if types - {AlertType.WALLET_BALANCE_DROPPED}:
        due = {fact.subscription_id: tx.now for fact in facts}
        await agenda.put(tx, SUBSCRIPTION_LOOK, due)


async def note_metrics(tx: Transaction, facts: Sequence[MetricEdited]) -> None:
    """Have alerts looked at whose metric counts otherwise now."""
    alert_ids = await store.ids_of_metrics(tx, [fact.metric_id for fact in facts])
    await agenda.put(tx, ALERT_LOOK, dict.fromkeys(alert_ids, tx.now))
