"""The guards, sources, reactions and subscribers of lower domains, and who names facts."""

from monigo import (
    alerts,
    audit,
    catalog,
    collection,
    customers,
    invoicing,
    metering,
    payouts,
    reports,
    subscriptions,
    tenancy,
    wallets,
    webhooks,
)
from monigo.infra.registry import Registry
from monigo.notifications import mails
from monigo.payments import (
    accounts,
    charges,
    connections,
    events,
    methods,
    payout_accounts,
    received,
    reconciliation,
    refunds,
    transfers,
)

REGISTRY = Registry(
    # In this order; the first that refuses is answered.
    guards={
        customers.CustomerDeletion: (
            subscriptions.refuse_customer_with_subscription,
            invoicing.refuse_customer_with_unpaid_invoice,
            wallets.refuse_customer_with_money,
        ),
        invoicing.InvoiceInFlight: (collection.refuse_in_flight,),
        invoicing.BillInFlight: (payouts.refuse_bill_in_flight,),
        invoicing.InvoiceVoiding: (collection.refuse_refund_in_flight,),
        catalog.MetricDeletion: (catalog.refuse_metric_with_price,),
        catalog.MetricUnsumming: (catalog.refuse_percentage_of_other,),
        catalog.PlanDeletion: (subscriptions.refuse_plan_with_subscriptions,),
        catalog.PlanTermsChange: (subscriptions.refuse_plan_ever_subscribed,),
        connections.ConnectionDeletion: (
            charges.refuse_connection_in_use,
            refunds.refuse_connection_in_use,
            transfers.refuse_connection_in_use,
            accounts.refuse_connection_with_accounts,
        ),
        methods.MethodForgetting: (charges.refuse_method_in_use,),
    },
    reactions={
        catalog.RuleMetricCreated: (metering.attribute_by_rules,),
        catalog.MetricEdited: (alerts.note_metrics,),
        subscriptions.events.SubscriptionCreated: (alerts.note_subscriptions,),
        subscriptions.events.SubscriptionPlanChanged: (alerts.note_subscriptions,),
        subscriptions.events.SubscriptionCanceled: (alerts.note_subscriptions,),
        customers.events.CustomerDeleted: (wallets.close_wallets_of_customers,),
        customers.events.CustomerUpdated: (metering.note_renamed, collection.note_emails),
        tenancy.events.OrganizationActivated: (
            collection.note_activated,
            payouts.note_activated,
        ),
        connections.events.PaymentConnectionChanged: (
            collection.note_connections,
            payouts.note_connections,
            reconciliation.begin,
        ),
        wallets.events.WalletStatusChanged: (collection.funding.close_accounts,),
        wallets.events.WalletTopUpRequested: (collection.funding.note_requested,),
        invoicing.events.InvoiceFinalized: (collection.begin_collecting,),
        invoicing.events.InvoicePaid: (collection.forget_settled,),
        invoicing.events.InvoiceVoided: (collection.forget_settled,),
        invoicing.events.BillFinalized: (payouts.begin,),
        invoicing.events.BillVoided: (payouts.forget_void,),
        payout_accounts.events.PayoutAccountAdded: (payouts.look_again,),
        payout_accounts.events.PayoutAccountChanged: (payouts.look_again,),
        transfers.events.TransferSubmitted: (
            payouts.note_submitted,
            reconciliation.begin,
        ),
        transfers.events.TransferSucceeded: (payouts.note_succeeded,),
        transfers.events.TransferPaidTwice: (payouts.note_paid_twice,),
        transfers.events.TransferFailed: (payouts.note_failed,),
        transfers.events.TransferFeeKnown: (payouts.note_fees,),
        transfers.events.TransferReversed: (payouts.note_reversed,),
        received.events.PaymentReceived: (
            collection.take_payments,
            collection.funding.credit_wallets,
            reconciliation.begin,
        ),
        received.events.PaymentReversed: (
            collection.note_reversals,
            collection.funding.debit_reversed,
        ),
        accounts.events.VirtualAccountOpened: (
            events.note_opened,
            reconciliation.begin,
        ),
        charges.events.ChargeFailed: (
            collection.note_failures,
            collection.funding.note_failed,
        ),
        charges.events.ChargeNeedsAction: (collection.note_needed_actions,),
        refunds.events.RefundCreated: (collection.note_refunds,),
        refunds.events.RefundSucceeded: (
            collection.post_refunds,
            collection.funding.debit_refunded,
            events.note_refunded,
        ),
        refunds.events.RefundFailed: (
            collection.note_failed_refunds,
            events.note_refund_failed,
        ),
        refunds.events.DisputeLost: (
            collection.note_lost_disputes,
            collection.funding.debit_disputed,
        ),
        methods.events.PaymentMethodSaved: (
            collection.note_new_methods,
            collection.funding.note_default,
        ),
        methods.events.PaymentMethodMadeDefault: (
            collection.note_new_methods,
            collection.funding.note_default,
        ),
    },
    subscribers=(
        audit.CHAIN,
        mails.SUBSCRIBER,
        mails.REPLACING,
        webhooks.deliveries.SUBSCRIBER,
    ),
    public_name=webhooks.public_name,
    sources={
        charges.ChargeSubmission: (collection.outdated_charges,),
        reports.StepsTaken: (
            reports.onboarding.steps_taken,
            webhooks.endpoints.steps_taken,
        ),
        transfers.TransferSubmission: (payouts.outdated_transfers,),
        reports.NeedsPerson: (reports.dashboard.waiting_for_person,),
    },
)
