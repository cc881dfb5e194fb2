"""Which routers a merchant has, under which faces.

Where a fixed path and an id could be taken for each other, the fixed one stands first.
"""

from fastapi import APIRouter

from monigo.api.merchant.alerts.routes import router as alerts
from monigo.api.merchant.banks.routes import router as banks
from monigo.api.merchant.billing_events.routes import router as billing_events
from monigo.api.merchant.bills.payouts.routes import router as bill_payouts
from monigo.api.merchant.bills.routes import router as bills
from monigo.api.merchant.customers.payment_methods.routes import router as payment_methods
from monigo.api.merchant.customers.payout_accounts.routes import router as payout_accounts
from monigo.api.merchant.customers.payout_statement.routes import router as payout_statement
from monigo.api.merchant.customers.routes import router as customers
from monigo.api.merchant.events.explorer.routes import router as events
from monigo.api.merchant.events.replays.routes import router as replays
from monigo.api.merchant.events.usage.routes import router as usage
from monigo.api.merchant.explanations.routes import router as explanations
from monigo.api.merchant.exports.routes import router as exports
from monigo.api.merchant.invoices.payments.routes import router as invoice_payments
from monigo.api.merchant.invoices.routes import router as invoices
from monigo.api.merchant.mails.routes import router as mails
from monigo.api.merchant.metrics.routes import router as metrics
from monigo.api.merchant.organization.routes import router as organization
from monigo.api.merchant.payment_connections.routes import router as payment_connections
from monigo.api.merchant.payout_rules.routes import router as payout_rules
from monigo.api.merchant.plans.payout_splits.routes import router as payout_splits
from monigo.api.merchant.plans.routes import router as plans
from monigo.api.merchant.portal_tokens.routes import router as portal_tokens
from monigo.api.merchant.price_overrides.routes import router as price_overrides
from monigo.api.merchant.provider_events.routes import router as provider_events
from monigo.api.merchant.reconciliation.routes import router as reconciliation
from monigo.api.merchant.reports.routes import router as reports
from monigo.api.merchant.set_aside.routes import router as set_aside
from monigo.api.merchant.simulations.routes import router as simulations
from monigo.api.merchant.subscriptions.routes import router as subscriptions
from monigo.api.merchant.test_clock.routes import router as test_clock
from monigo.api.merchant.test_data.routes import router as test_data
from monigo.api.merchant.transactions.routes import router as transactions
from monigo.api.merchant.wallets.credits.routes import router as credit_grants
from monigo.api.merchant.wallets.funding.routes import router as funding
from monigo.api.merchant.wallets.movements.routes import router as movements
from monigo.api.merchant.wallets.reservations.routes import router as reservations
from monigo.api.merchant.wallets.routes import router as wallets
from monigo.api.merchant.wallets.top_ups.routes import router as top_ups
from monigo.api.merchant.wallets.virtual_accounts.routes import router as virtual_accounts
from monigo.api.merchant.webhooks.routes import router as webhooks
from monigo.api.merchant.whatsapp.routes import router as whatsapp

# Under /v1 only.
BACKEND_ROUTERS: tuple[APIRouter, ...] = (organization, test_clock, test_data)

# Under both faces: one handler per resource serves them.
SHARED_ROUTERS: tuple[APIRouter, ...] = (
    payment_methods,
    payout_accounts,
    payout_statement,
    banks,
    customers,
    events,  # before metrics: /metrics/event-property-keys is no metric's id
    metrics,
    simulations,
    plans,
    payout_splits,
    payout_rules,
    price_overrides,
    subscriptions,
    alerts,
    usage,
    replays,
    reports,
    exports,  # before invoices and bills: /invoices/export is no invoice's id
    invoices,
    invoice_payments,
    explanations,
    bills,
    bill_payouts,
    billing_events,
    wallets,
    movements,
    reservations,
    credit_grants,
    top_ups,
    virtual_accounts,
    funding,
    payment_connections,
    transactions,
    set_aside,
    provider_events,
    reconciliation,
    webhooks,
    whatsapp,
    mails,
    portal_tokens,
)
