"""What keeps customers and plans from being deleted or redefined."""

from monigo.catalog import PlanDeletion, PlanTermsChange
from monigo.core.errors import conflict
from monigo.customers import CustomerDeletion
from monigo.infra.db import Transaction
from monigo.subscriptions.guards import store


async def refuse_customer_with_subscription(tx: Transaction, asked: CustomerDeletion) -> None:
    """Raise conflict while a customer has a subscription that has not ended."""
    if await store.count_of_customer(tx, asked.customer_id):
        raise conflict("customer_subscribed", "the customer has an active subscription")


async def refuse_plan_with_subscriptions(tx: Transaction, asked: PlanDeletion) -> None:
    """Raise conflict while a plan has subscriptions that have not ended, or will have some."""
    if await store.count_of_plan(tx, asked.plan_id, ever=False):
        raise conflict("plan_subscribed", "the plan has active subscriptions")
    if await store.count_scheduled(tx, asked.plan_id):
        raise conflict("plan_scheduled", "subscriptions are to change to the plan")


async def refuse_plan_ever_subscribed(tx: Transaction, asked: PlanTermsChange) -> None:
    """Raise conflict once a plan has had a subscription, or one is to change to it."""
    if await store.count_of_plan(tx, asked.plan_id, ever=True) or (
        await store.count_scheduled(tx, asked.plan_id)
    ):
        raise conflict(
            "plan_terms_fixed",
            "currency, plan_type, billing_period and billing_mode are fixed"
            " once the plan has had subscribers",
        )
