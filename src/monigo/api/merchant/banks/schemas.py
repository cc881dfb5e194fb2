"""Banks on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Outgoing
from monigo.payments.payout_accounts import Bank
from monigo.providers.port import PayoutMethod


class BankOut(Outgoing, frozen=True):
    """A bank or network that payouts go to."""

    code: Annotated[str, Meta(description="the provider's own; text, with leading zeros")]
    name: str
    country: str
    currency: str
    payout_method: PayoutMethod

    @classmethod
    def of(cls, bank: Bank) -> Self:
        """The wire form."""
        return cls(
            code=bank.code,
            name=bank.name,
            country=bank.country,
            currency=bank.currency,
            payout_method=bank.method,
        )


class BankList(Outgoing, frozen=True):
    """The banks or networks of a country that a provider pays out to."""

    provider: Annotated[str, Meta(description="whose codes these are")]
    banks: list[BankOut]
