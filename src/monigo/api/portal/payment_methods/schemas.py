"""Saved payment methods on the portal's wire."""

from typing import Self

from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.api.portal.paging import PortalList
from monigo.core.ids import PaymentMethodId
from monigo.payments.methods import MethodType, PaymentMethod


class PortalMethodOut(Outgoing, frozen=True):
    """A card or account that the customer can be charged by again."""

    id: PaymentMethodId
    type: MethodType
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    bank: str
    is_default: bool
    created_at: Instant

    @classmethod
    def of(cls, method: PaymentMethod) -> Self:
        """The wire form."""
        return cls(
            id=method.id,
            type=method.type,
            brand=method.brand,
            last4=method.last4,
            exp_month=method.exp_month,
            exp_year=method.exp_year,
            bank=method.bank,
            is_default=method.is_default,
            created_at=method.created_at,
        )


class PortalMethodList(PortalList, frozen=True):
    """The customer's payment methods, oldest first."""

    payment_methods: list[PortalMethodOut]
