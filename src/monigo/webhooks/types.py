"""Billing events: facts as they are published, under stable names and in stable shapes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct


class EventType(StrEnum):
    """The names under which what happened is reported to merchants."""

    WALLET_TOP_UP_REQUESTED = "customer.wallet.top_up_requested"
    PAYMENT_SUCCESS = "payment.success"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_METHOD_EXPIRING = "customer.payment_method.expiring_soon"
    PAYMENT_METHOD_EXPIRED = "customer.payment_method.expired"
    INVOICE_CREATED = "invoice.created"
    INVOICE_FINALIZED = "invoice.finalized"
    INVOICE_PAID = "invoice.paid"
    INVOICE_PAYMENT_FAILED = "invoice.payment_failed"
    INVOICE_VOIDED = "invoice.voided"
    PAYOUT_SUCCESS = "payout.success"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_REVERSED = "payout.reversed"
    INVOICE_OVERDUE = "invoice.overdue"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_PAUSED = "subscription.paused"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_SUSPENDED = "subscription.suspended"
    PREPAID_BALANCE_INSUFFICIENT = "subscription.prepaid_balance_insufficient"
    REALTIME_BALANCE_EXHAUSTED = "subscription.realtime_balance_exhausted"
    ALERT_TRIGGERED = "alert.triggered"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    USAGE_DAILY = "usage.daily"
    USAGE_WEEKLY = "usage.weekly"
    USAGE_MONTHLY = "usage.monthly"
    CUSTOMER_USAGE_DAILY = "customer.usage.daily"
    CUSTOMER_USAGE_WEEKLY = "customer.usage.weekly"
    CUSTOMER_USAGE_MONTHLY = "customer.usage.monthly"


class BillingEvent(Struct, frozen=True):
    """A fact as merchants see it, with the fact's id and instant; `data` is what JSON has of it."""

    id: UUID
    type: EventType
    data: Mapping[str, Any]
    created_at: datetime
