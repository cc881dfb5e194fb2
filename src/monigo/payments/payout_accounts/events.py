"""The facts of payout accounts."""

from monigo.core.ids import CustomerId, PayoutAccountId
from monigo.infra.outbox import Fact


class PayoutAccountFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a payout account."""

    subject = "payout_account"
    subject_field = "payout_account_id"
    payout_account_id: PayoutAccountId
    customer_id: CustomerId
    currency: str


class PayoutAccountAdded(PayoutAccountFact, frozen=True, kw_only=True):
    """A payee has another account."""

    is_default: bool


class PayoutAccountChanged(PayoutAccountFact, frozen=True, kw_only=True):
    """A payout account was changed, or made the default."""

    is_default: bool


class PayoutAccountDeleted(PayoutAccountFact, frozen=True, kw_only=True):
    """A payout account is paid to no more."""


class PayoutAccountResolved(PayoutAccountFact, frozen=True, kw_only=True):
    """A provider said in whose name an account is, or that there is none such."""

    state: str
