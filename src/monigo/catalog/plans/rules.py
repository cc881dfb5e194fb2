"""Pure rules of plans: which details are valid, and what subscribers rely on."""

from monigo.catalog.plans.types import BaseFee, BillingMode, PlanChanges, PlanDetails, PlanType
from monigo.core.errors import invalid

TRIAL_DAYS_MAX = 730


def check_details(details: PlanDetails) -> None:
    """Raise invalid unless the plan can be subscribed to."""
    faults: dict[str, str] = {}
    if not details.name:
        faults["name"] = "is required"
    if not 0 <= details.trial_period_days <= TRIAL_DAYS_MAX:
        faults["trial_period_days"] = f"must be 0 to {TRIAL_DAYS_MAX}"
    if details.plan_type is PlanType.PAYOUT and details.billing_mode is not BillingMode.POSTPAID:
        faults["billing_mode"] = "must be postpaid: a payout plan takes nothing from a wallet"
    if faults:
        raise invalid(faults)


def check_pays_out(details: PlanDetails) -> None:
    """Raise invalid unless a plan may have payout rules."""
    if details.plan_type is not PlanType.PAYOUT:
        raise invalid({"payout_rules": "are possible on a payout plan only"})


def fixed_terms(details: PlanDetails) -> tuple[object, ...]:
    """What subscribers rely on: it may not change once the plan has had any."""
    return (details.currency, details.plan_type, details.billing_period, details.billing_mode)


def check_base_fee(base_fee: BaseFee) -> None:
    """Raise invalid for a fee that would be paid back."""
    if base_fee.amount < 0:
        raise invalid({"base_fee": "must not be negative"})


def base_fee_after(present: BaseFee, changes: PlanChanges) -> BaseFee:
    """A plan's base fee after an edit."""
    return BaseFee(
        amount=present.amount if changes.base_fee is None else changes.base_fee,
        in_advance=present.in_advance if changes.in_advance is None else changes.in_advance,
    )
