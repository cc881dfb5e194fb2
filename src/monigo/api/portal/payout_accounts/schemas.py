"""Payout accounts on the portal's wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Outgoing
from monigo.api.portal.paging import PortalList
from monigo.core.ids import PayoutAccountId
from monigo.payments import payout_accounts
from monigo.payments.payout_accounts import PayoutAccount
from monigo.providers.port import PayoutMethod


class PortalPayoutAccountOut(Outgoing, frozen=True):
    """An account that the customer is paid to, with the end of its number; one of the two is set.

    A leaked link must not give away where somebody banks.
    """

    id: PayoutAccountId
    account_name: str
    payout_method: PayoutMethod
    bank_name: str
    account_number: Annotated[str | None, Meta(examples=["****0031"])]
    mobile_money_number: str | None
    currency: str
    is_default: bool

    @classmethod
    def of(cls, account: PayoutAccount) -> Self:
        """The wire form."""
        number = payout_accounts.masked(account.last4)
        is_phone = account.method is PayoutMethod.MOBILE_MONEY
        return cls(
            id=account.id,
            account_name=account.account_name,
            payout_method=account.method,
            bank_name=account.bank_name,
            account_number=None if is_phone else number,
            mobile_money_number=number if is_phone else None,
            currency=account.currency,
            is_default=account.is_default,
        )


class PortalPayoutAccountList(PortalList, frozen=True):
    """The customer's payout accounts, oldest first."""

    payout_accounts: list[PortalPayoutAccountOut]
