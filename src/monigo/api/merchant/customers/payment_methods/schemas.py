"""Saved payment methods on the wire."""

from typing import Self

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, OrganizationId, PaymentMethodId
from monigo.infra.db import Transaction
from monigo.payments.methods import MethodType, PaymentMethod


class PaymentMethodOut(Outgoing, frozen=True):
    """A card or account that a provider lets us charge again; its token is never shown."""

    id: PaymentMethodId
    org_id: OrganizationId
    customer_id: CustomerId
    type: MethodType
    provider: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    bank: str
    is_default: bool
    created_at: Instant

    @classmethod
    def of(cls, tx: Transaction, method: PaymentMethod) -> Self:
        """The wire form."""
        return cls(
            id=method.id,
            org_id=tx.org_id,
            customer_id=method.customer_id,
            type=method.type,
            provider=method.provider,
            brand=method.brand,
            last4=method.last4,
            exp_month=method.exp_month,
            exp_year=method.exp_year,
            bank=method.bank,
            is_default=method.is_default,
            created_at=method.created_at,
        )


class PaymentMethodEnvelope(Outgoing, frozen=True):
    """One payment method."""

    payment_method: PaymentMethodOut


class PaymentMethodList(ListEnvelope, frozen=True):
    """A customer's payment methods, oldest first."""

    payment_methods: list[PaymentMethodOut]


PAYMENT_METHOD = Changes("payment_method", PaymentMethod, PaymentMethodOut.of)
