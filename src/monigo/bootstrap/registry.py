"""The guards, sources, reactions and subscribers of lower domains."""

from monigo import audit, catalog, customers, invoicing, reports, subscriptions, wallets, webhooks
from monigo.infra.registry import Registry

REGISTRY = Registry(
    # In this order; the first that refuses is answered.
    guards={
        customers.CustomerDeletion: (
            subscriptions.refuse_customer_with_subscription,
            invoicing.refuse_customer_with_unpaid_invoice,
            wallets.refuse_customer_with_money,
        ),
        catalog.MetricDeletion: (catalog.refuse_metric_with_price,),
        catalog.MetricUnsumming: (catalog.refuse_percentage_of_other,),
        catalog.PlanDeletion: (subscriptions.refuse_plan_with_subscriptions,),
        catalog.PlanTermsChange: (subscriptions.refuse_plan_ever_subscribed,),
    },
    reactions={customers.events.CustomerDeleted: (wallets.close_wallets_of_customers,)},
    subscribers=(webhooks.BILLING_EVENTS, audit.CHAIN),
    sources={
        reports.StepsTaken: (reports.onboarding.steps_taken,),
        reports.NeedsPerson: (reports.dashboard.waiting_for_person,),
    },
)
