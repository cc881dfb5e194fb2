"""Funding of wallets on the wire."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, UnsetType
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from monigo import collection
from monigo.api.kernel.wire.incoming import Amount, Incoming, Name, empty_as_none
from monigo.api.kernel.wire.outgoing import FreeForm, Money, Outgoing
from monigo.core.ids import ChargeId, WalletId
from monigo.core.money import format_money
from monigo.payments.charges import Charge, ChargeState
from monigo.providers.port import ProviderName

URL_LENGTH_MAX = 2_000


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https URL")
    return text


Url = Annotated[Name, StringConstraints(max_length=URL_LENGTH_MAX), AfterValidator(_web_address)]


class FundIn(Incoming):
    """Money that a wallet's customer is to pay into it."""

    amount: Amount = Field(examples=["5000.000000"])
    currency: Annotated[Name | None, BeforeValidator(empty_as_none)] = Field(
        default=None, description="the wallet's own, if it is given"
    )
    provider: Annotated[ProviderName | None, BeforeValidator(empty_as_none)] = Field(
        default=None, description="the currency's default connection where it is unset"
    )
    return_url: Annotated[Url | None, BeforeValidator(empty_as_none)] = Field(
        default=None, description="where the provider's page leads the payer afterwards"
    )
    inline: bool = Field(
        default=False, description="a session for the provider's own widget, instead of a link"
    )

    def funding(self) -> collection.funding.Funding:
        """What is asked for."""
        return collection.funding.Funding(
            amount=self.amount,
            provider=None if self.provider is None else self.provider.value,
            return_url=self.return_url or "",
            is_inline=self.inline,
        )


class FundingOut(Outgoing, frozen=True, omit_defaults=True):
    """A link by which the wallet is paid into, or a session for the provider's widget.

    It holds public credentials only. Money is credited when the provider says that it came.
    """

    provider: str
    reference: str
    transaction_id: ChargeId
    amount: Money
    currency: str
    message: str | UnsetType = UNSET
    authorization_url: Annotated[str | UnsetType, Meta(description="where the payer pays")] = UNSET
    email: str | UnsetType = UNSET
    customer_name: str | UnsetType = UNSET
    public_key: str | UnsetType = UNSET
    access_code: Annotated[str | UnsetType, Meta(description="Paystack's")] = UNSET
    contract_code: Annotated[str | UnsetType, Meta(description="Monnify's")] = UNSET
    meta: FreeForm | UnsetType = UNSET


class AskedOut(Outgoing, frozen=True):
    """What was asked of a customer, as the audit log shows it."""

    provider: str
    reference: str
    amount: Money
    currency: str
    wallet_id: WalletId | None
    status: ChargeState

    @classmethod
    def of(cls, charge: Charge) -> Self:
        """The wire form."""
        return cls(
            provider=charge.provider,
            reference=charge.reference,
            amount=format_money(charge.amount.amount),
            currency=charge.amount.currency,
            wallet_id=charge.wallet_id,
            status=charge.state,
        )
