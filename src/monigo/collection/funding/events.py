"""The facts of funding."""

from decimal import Decimal

from monigo import wallets
from monigo.core.ids import PaymentId, PaymentMethodId, TopUpId


class AutoTopUpStopped(wallets.events.WalletFact, frozen=True, kw_only=True):
    """A card was declined too often, or for good: it is asked for no more top-ups of a wallet.

    The request stays open. A deposit pays it, and another default card is asked for it.
    """

    top_up_id: TopUpId
    method_id: PaymentMethodId
    declines: int
    code: str


class ReversalUncovered(wallets.events.WalletFact, frozen=True, kw_only=True):
    """A provider took back money that the wallet no longer has: the customer owes `amount`."""

    payment_id: PaymentId
    amount: Decimal
