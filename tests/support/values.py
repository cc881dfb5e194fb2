"""Values for tests of pure rules: what a test does not say is usual, or None."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from monigo.catalog import PlanType
from monigo.core.periods import BillingAnchor, BillingPeriod
from monigo.subscriptions import Status, Subscription
from monigo.subscriptions.types import Phase
from monigo.tenancy import (
    AccessSettings,
    BillingSettings,
    CollectionSettings,
    LimitSettings,
    MailSettings,
    Organization,
    PayoutSettings,
    RetentionSettings,
)
from monigo.tenancy.rules import with_settings
from monigo.wallets import CreditGrant, Wallet, WalletStatus
from monigo.wallets.types import WalletAccounts

START = datetime(2026, 1, 1, tzinfo=UTC)
PLAN, OTHER_PLAN = UUID(int=1), UUID(int=2)
ACCOUNTS = WalletAccounts(*(UUID(int=number) for number in (11, 12, 13, 14)))


def made(kind, usual, said):
    """A struct whose fields are what is said, else usual, else None."""
    return kind(**{name: said.get(name, usual.get(name)) for name in kind.__struct_fields__})


def phase(plan_id=PLAN, started_at=START, **said):
    usual = {
        "plan_id": plan_id,
        "billing_period": BillingPeriod.MONTHLY,
        "anchor_at": started_at,
        "started_at": started_at,
        "agreed_at": started_at,
        "agreed_revision": 1,
    }
    return made(Phase, usual, said)


def subscription(**said):
    """Monthly from the first of January on, active, with nothing closed yet."""
    start = said.get("start_date", START)
    usual = {
        "id": UUID(int=21),
        "customer_id": UUID(int=22),
        "phase": phase(started_at=start),
        "past_phases": (),
        "plan_type": PlanType.COLLECTION,
        "status": Status.ACTIVE,
        "timezone": "UTC",
        "billing_anchor": BillingAnchor.SUBSCRIPTION_START,
        "start_date": start,
        "cancel_at_period_end": False,
        "closed_until": start,
        "late_usage_checked_at": start,
        "billing_error": "",
        "created_at": start,
        "updated_at": start,
    }
    return made(Subscription, usual, said)


def wallet(balance="100", reserved="0", **said):
    usual = {
        "id": UUID(int=31),
        "customer_id": UUID(int=22),
        "currency": "NGN",
        "status": WalletStatus.ACTIVE,
        "balance": Decimal(balance),
        "reserved_balance": Decimal(reserved),
        "accounts": ACCOUNTS,
        "entries": 1,
        "excess": Decimal(0),
        "created_at": START,
        "updated_at": START,
    }
    return made(Wallet, usual, said)


def grant(number, remaining="10", **said):
    """A grant that holds what is left of it, for whatever is due, without an end."""
    usual = {
        "id": UUID(int=number),
        "wallet_id": UUID(int=31),
        "account_id": UUID(int=100 + number),
        "currency": "NGN",
        "amount": Decimal(remaining),
        "remaining": Decimal(remaining),
        "priority": 0,
        "metric_ids": (),
        "description": "",
        "created_at": START,
        "updated_at": START,
    }
    return made(CreditGrant, usual, said)


def organization(**said):
    """A merchant in Lagos that charges VAT; settings are said by their names."""
    usual = {
        "id": UUID(int=41),
        "name": "Acme",
        "country": "NG",
        "billing": BillingSettings(timezone="Africa/Lagos", vat_enabled=True),
        "retention": RetentionSettings(),
        "limits": LimitSettings(),
        "access": AccessSettings(),
        "collection": CollectionSettings(),
        "payouts": PayoutSettings(),
        "mails": MailSettings(),
        "created_at": START,
        "updated_at": START,
    }
    return with_settings(made(Organization, usual, {}), said)
