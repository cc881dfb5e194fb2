"""Automatic top-ups: a rule asks for money where a balance is low."""

from monigo.wallets.top_ups.service import (
    ask_where_low,
    count_deposits,
    delete_auto_top_up,
    get_auto_top_up,
    get_top_up,
    list_top_ups,
    low_of,
    set_auto_top_up,
)
from monigo.wallets.top_ups.store import cancel, list_open_top_ups
from monigo.wallets.top_ups.types import AutoTopUp, TopUp, WalletRule

__all__ = [
    "AutoTopUp",
    "TopUp",
    "WalletRule",
    "ask_where_low",
    "cancel",
    "count_deposits",
    "delete_auto_top_up",
    "get_auto_top_up",
    "get_top_up",
    "list_open_top_ups",
    "list_top_ups",
    "low_of",
    "set_auto_top_up",
]
