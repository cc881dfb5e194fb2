"""What others are told of subscriptions, in the transaction of the fact."""

from monigo.infra import outbox
from monigo.infra.database import Transaction
from monigo.infra.outbox import EventType, OutboxEvent
from monigo.subscriptions.types import Subscription


async def tell(tx: Transaction, event_type: EventType, subscription: Subscription) -> None:
    """Tell what happened to a subscription."""
    data = {
        "id": str(subscription.id),
        "customer_id": str(subscription.customer_id),
        "plan_id": str(subscription.plan_id),
        "status": subscription.status.value,
    }
    await outbox.emit(tx, [OutboxEvent(event_type, {"subscription": data})])
