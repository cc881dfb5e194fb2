"""Pure rules of funding: what may be asked for, and when pulls of a top-up stop."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monigo.core.errors import conflict, invalid
from monigo.core.ids import PaymentMethodId
from monigo.core.money import Money, format_money
from monigo.payments.charges import (
    CHECKOUT_LASTS,
    Charge,
    ChargeKind,
    ChargeState,
    NewCheckout,
    Purpose,
    is_of_payer,
)
from monigo.providers.port import Capabilities, FailureCode, to_wire
from monigo.wallets import Wallet, WalletStatus

# A customer who asks twice wants to pay once.
SAME_WITHIN = timedelta(minutes=1)
# A rule whose card was declined so often within this time pulls no more.
DECLINES_MAX = 3
DECLINES_WITHIN = timedelta(hours=24)
RETRIED_AFTER = timedelta(hours=1)
# Of these the card will not recover.
_FOR_GOOD = frozenset(
    {FailureCode.DO_NOT_RETRY, FailureCode.EXPIRED_METHOD, FailureCode.INVALID_METHOD}
)


def check_fundable(wallet: Wallet) -> None:
    """Whether money may be asked for into a wallet.

    Raises:
        DomainError: conflict, for one that is not active.
    """
    match wallet.status:
        case WalletStatus.SUSPENDED:
            raise conflict("wallet_suspended", "the wallet is suspended")
        case WalletStatus.CLOSED:
            raise conflict("wallet_closed", "the wallet is closed")
        case WalletStatus.ACTIVE:
            return


def check_currency(wallet: Wallet, currency: str | None) -> None:
    """Whether a currency that a request names is the wallet's own.

    Raises:
        DomainError: invalid.
    """
    if currency is not None and currency != wallet.currency:
        raise invalid({"currency": f"must be the wallet's own, {wallet.currency}"})


def check_amount(amount: Money, provider: Capabilities) -> None:
    """Whether a provider takes an amount at once.

    Raises:
        DomainError: invalid, for more decimals than it takes, and for less than its least.
    """
    to_wire(amount, provider.wires)
    least = provider.minimums.get(amount.currency)
    if least is not None and amount.amount < least:
        said = f"must be at least {format_money(least)} {amount.currency} at {provider.title}"
        raise invalid({"amount": said})


def is_same_funding(charge: Charge, wanted: NewCheckout, now: datetime) -> bool:
    """Whether a charge is what is asked for again, within a minute of real time."""
    made_after = now - SAME_WITHIN + CHECKOUT_LASTS
    return (
        charge.is_live
        and charge.kind is ChargeKind.CHECKOUT
        and charge.purpose is wanted.purpose
        and charge.expires_at is not None
        and charge.expires_at >= made_after
        and (charge.connection_id, charge.amount, charge.email)
        == (wanted.connection_id, wanted.amount, wanted.email)
        and (charge.return_url, charge.is_inline) == (wanted.return_url, wanted.is_inline)
    )


def stops(code: str, declines: int) -> bool:
    """Whether a card that was declined so often of late is asked for no more top-ups."""
    return code in _FOR_GOOD or declines >= DECLINES_MAX


def stops_by(recent: Sequence[Charge], method_id: PaymentMethodId) -> bool:
    """Whether a card is asked for no more top-ups by what it was declined for of late."""
    codes = _declines(recent, method_id)
    return len(codes) >= DECLINES_MAX or any(code in _FOR_GOOD for code in codes)


def declines_of(recent: Sequence[Charge], method_id: PaymentMethodId) -> int:
    """How often a card was declined for top-ups among these charges of a wallet."""
    return len(_declines(recent, method_id))


def _declines(recent: Sequence[Charge], method_id: PaymentMethodId) -> list[str]:
    return [
        one.failure.code
        for one in recent
        if one.state is ChargeState.FAILED
        and one.purpose is Purpose.TOP_UP
        and one.method_id == method_id
        and one.failure is not None
        and is_of_payer(one.failure.code)
    ]
