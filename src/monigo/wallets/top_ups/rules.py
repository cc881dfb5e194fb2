"""Pure rules of automatic top-ups."""

from decimal import Decimal

from monigo.core.errors import invalid
from monigo.core.money import EXACT, format_money
from monigo.wallets.top_ups.types import AutoTopUp
from monigo.wallets.types import Wallet, WalletStatus


def check_auto_top_up(rule: AutoTopUp) -> None:
    """Whether a rule can ever ask for its amount.

    Raises:
        DomainError: invalid.
    """
    if rule.monthly_limit is not None and rule.monthly_limit < rule.amount:
        raise invalid(
            {"monthly_limit": f"must be at least the amount, {format_money(rule.amount)}"}
        )


def is_low(wallet: Wallet) -> bool:
    """Whether a wallet has less than its rule wants; never where it has none."""
    return (
        wallet.top_up_threshold is not None
        and wallet.balance < wallet.top_up_threshold
        and wallet.status is WalletStatus.ACTIVE
    )


def may_ask(rule: AutoTopUp, asked: Decimal) -> bool:
    """Whether a rule that asked for so much in this month may ask again."""
    return rule.monthly_limit is None or EXACT.add(asked, rule.amount) <= rule.monthly_limit
