"""The facts of saved methods."""

from monigo.core.ids import ConnectionId, CustomerId, PaymentMethodId
from monigo.infra.outbox import Fact


class MethodFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a saved method."""

    subject = "payment_method"
    subject_field = "payment_method_id"
    payment_method_id: PaymentMethodId
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str


class PaymentMethodSaved(MethodFact, frozen=True, kw_only=True):
    """A customer has a method that can be charged again."""

    is_default: bool


class PaymentMethodMadeDefault(MethodFact, frozen=True, kw_only=True):
    """A method is the one that a customer is charged by from now on."""


class MethodExpiryFact(MethodFact, frozen=True, kw_only=True):
    """A card is about to expire, or did: the month is the last in which it can be charged."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool


class PaymentMethodExpiring(MethodExpiryFact, frozen=True, kw_only=True):
    """A card can be charged for a month or less from now on."""


class PaymentMethodExpired(MethodExpiryFact, frozen=True, kw_only=True):
    """A card's last month is over."""


class PaymentMethodRemoved(MethodFact, frozen=True, kw_only=True):
    """A method is not charged any more."""
