"""Which routers a customer's portal has, all under /api/v1/portal."""

from fastapi import APIRouter

from monigo.api.portal.bills.routes import router as bills
from monigo.api.portal.invoices.routes import router as invoices
from monigo.api.portal.me.routes import router as me
from monigo.api.portal.payment_methods.routes import router as payment_methods
from monigo.api.portal.payout_accounts.routes import router as payout_accounts
from monigo.api.portal.subscriptions.routes import router as subscriptions
from monigo.api.portal.wallets.routes import router as wallets

PORTAL_ROUTERS: tuple[APIRouter, ...] = (
    me,
    invoices,
    bills,
    subscriptions,
    wallets,
    payment_methods,
    payout_accounts,
)
