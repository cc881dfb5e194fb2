"""How a wallet is funded: what is wanted."""

from decimal import Decimal

from msgspec import Struct


class Funding(Struct, frozen=True, kw_only=True):
    """Money that a customer is to pay into a wallet by a link.

    Without a provider the connection is the currency's usual one. `is_inline`: the merchant's page
    opens the provider's own widget, and leaves to no page of the provider's.
    """

    amount: Decimal
    provider: str | None = None
    return_url: str = ""
    is_inline: bool = False


class Session(Struct, frozen=True, kw_only=True):
    """What a page needs for a provider's own widget, beside the charge; all of it is public."""

    customer_name: str
    public_key: str
    contract_code: str
