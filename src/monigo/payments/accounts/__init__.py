"""Virtual accounts: bank account numbers at providers, whose deposits fund wallets."""

from monigo.payments.accounts import events
from monigo.payments.accounts.calls import close_at_provider, open_at_provider
from monigo.payments.accounts.deposits import apply_fact
from monigo.payments.accounts.due import ACCOUNT_ASK, DEPOSIT_LIST
from monigo.payments.accounts.rules import listing_of
from monigo.payments.accounts.service import (
    begin_closing,
    check_offered,
    close_of_wallets,
    get,
    list_of_wallet,
    refuse_connection_with_accounts,
    want,
)
from monigo.payments.accounts.tasks import tasks
from monigo.payments.accounts.types import AccountState, Identity, NewAccount, VirtualAccount

__all__ = [
    "ACCOUNT_ASK",
    "DEPOSIT_LIST",
    "AccountState",
    "Identity",
    "NewAccount",
    "VirtualAccount",
    "apply_fact",
    "begin_closing",
    "check_offered",
    "close_at_provider",
    "close_of_wallets",
    "events",
    "get",
    "list_of_wallet",
    "listing_of",
    "open_at_provider",
    "refuse_connection_with_accounts",
    "tasks",
    "want",
]
