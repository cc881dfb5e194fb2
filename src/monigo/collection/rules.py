"""Pure rules of collection: what is done next for an unpaid invoice, and when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo.catalog import BillingMode
from monigo.collection.types import Action, Progress, Step
from monigo.core.money import EXACT
from monigo.invoicing import Invoice, InvoiceStatus
from monigo.payments.received import Payment
from monigo.providers.port import FailureCode
from monigo.tenancy import CollectionSettings

# A pull that its customer is to confirm fails after so long of the tenant's time.
CONFIRMED_WITHIN = timedelta(hours=24)
# Then a pull is looked at again whose outcome should be known; it is asked about elsewhere.
LOOK_AT_PULL = timedelta(days=4)
# After a failure that is not the payer's, such as of the merchant's keys.
TRY_AGAIN_AFTER = timedelta(days=1)

_UNPAID = {InvoiceStatus.FINALIZED, InvoiceStatus.PAYMENT_FAILED, InvoiceStatus.UNCOLLECTIBLE}
# After these a bank refuses each further try, or holds it against the merchant.
_HOPELESS = {FailureCode.DO_NOT_RETRY, FailureCode.EXPIRED_METHOD, FailureCode.INVALID_METHOD}


def is_hopeless(code: str) -> bool:
    """Whether the same method is not to be charged again after a failure."""
    return code in _HOPELESS


def is_collected(invoice: Invoice) -> bool:
    """Whether an invoice is collected at all: postpaid, and something is due of it."""
    return (
        invoice.status in _UNPAID
        and invoice.billing_mode is BillingMode.POSTPAID
        and invoice.amount_due > 0
    )


def next_step(
    invoice: Invoice,
    progress: Progress,
    settings: CollectionSettings,
    now: datetime,
    *,
    can_pull: bool,
) -> Step:
    """What is done for an invoice now of which no pull is under way.

    `can_pull`: the customer has a saved method, which can be charged.
    """
    if not is_collected(invoice):
        return Step(Action.DROP, progress)
    if progress.has_new_method and can_pull:
        return Step(Action.PULL, replace(progress, has_new_method=False, is_link_only=False))
    if progress.first_failed_at is None:
        if can_pull:
            return Step(Action.PULL, progress)
        return _reminding(invoice, progress, settings, now)
    if invoice.status is InvoiceStatus.UNCOLLECTIBLE:
        return Step(Action.WAIT, progress)
    return _dunning(progress, settings.dunning_days, now, can_pull)


def _dunning(
    progress: Progress,
    days: tuple[int, ...],
    now: datetime,
    can_pull: bool,  # noqa: FBT001 - passed on
) -> Step:
    """The step of the day; where nothing can be charged, the steps pass by."""
    while progress.failures <= len(days):
        step_at = next_try(progress, days)
        if step_at is not None and now < step_at:
            return Step(Action.WAIT, progress, step_at)
        if can_pull and not progress.is_link_only:
            return Step(Action.PULL, progress)
        progress = replace(progress, failures=progress.failures + 1)
    return Step(Action.END, progress)


def _reminding(
    invoice: Invoice, progress: Progress, settings: CollectionSettings, now: datetime
) -> Step:
    """What an overdue invoice without a saved method asks for."""
    due = invoice.due_date
    if due is None:
        return Step(Action.WAIT, progress)
    days, suspends_after = settings.overdue_reminder_days, settings.overdue_suspend_after_days
    is_suspending = suspends_after is not None and progress.suspended_at is None
    instants: list[datetime] = []
    if progress.reminders < len(days):
        remind_at = due + timedelta(days=days[progress.reminders])
        if remind_at <= now:
            return Step(Action.REMIND, replace(progress, reminders=progress.reminders + 1), now)
        instants.append(remind_at)
    if is_suspending and suspends_after is not None:
        suspend_at = due + timedelta(days=suspends_after)
        if suspend_at <= now:
            return Step(Action.SUSPEND, replace(progress, suspended_at=now), now)
        instants.append(suspend_at)
    return Step(Action.WAIT, progress, min(instants, default=None))


def next_try(progress: Progress, days: tuple[int, ...]) -> datetime | None:
    """When an invoice is tried next after its last failure; None where that was the last."""
    if progress.first_failed_at is None or progress.failures > len(days):
        return None
    return progress.first_failed_at + timedelta(days=days[progress.failures - 1])


def after_failure(progress: Progress, code: str, now: datetime) -> Progress:
    """How far an invoice has come after its payer's method failed."""
    return replace(
        progress,
        failures=progress.failures + 1,
        first_failed_at=progress.first_failed_at or now,
        is_link_only=progress.is_link_only or is_hopeless(code),
    )


def left_of(payment: Payment) -> Decimal:
    """What can still go back of what a payment paid of its invoice."""
    of_what_it_paid = EXACT.subtract(payment.to_invoice, payment.refunded)
    return max(min(payment.refundable.amount, of_what_it_paid), Decimal(0))


def shares_of_refund(payments: Sequence[Payment], amount: Decimal) -> list[tuple[Payment, Decimal]]:
    """Which payments go back, and how much of each: the first as far as something is left of it."""
    shares: list[tuple[Payment, Decimal]] = []
    for payment in payments:
        share = min(left_of(payment), amount)
        if share:
            shares.append((payment, share))
            amount = EXACT.subtract(amount, share)
    return shares
