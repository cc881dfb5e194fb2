"""Credit grants: credit given for nothing, and how payments use it before money."""

from monigo.wallets.credits.payments import (
    Extent,
    Payment,
    Repayment,
    metrics_of_grants,
    owners_with_credits_or_excess,
    pay_all,
    repay_all,
)
from monigo.wallets.credits.rules import parts_of
from monigo.wallets.credits.service import OpenPeriods, expire_credits, grant, list_credits, revoke
from monigo.wallets.credits.types import CreditGrant, GrantRequest, PaidPart

__all__ = [
    "CreditGrant",
    "Extent",
    "GrantRequest",
    "OpenPeriods",
    "PaidPart",
    "Payment",
    "Repayment",
    "expire_credits",
    "grant",
    "list_credits",
    "metrics_of_grants",
    "owners_with_credits_or_excess",
    "parts_of",
    "pay_all",
    "repay_all",
    "revoke",
]
