"""Payout accounts: where payees get their money, and in whose name the provider says it is."""

from monigo.payments.payout_accounts import events
from monigo.payments.payout_accounts.banks import BankDirectory, paying_connection
from monigo.payments.payout_accounts.resolving import Asked, ask_name, record_name
from monigo.payments.payout_accounts.rules import masked
from monigo.payments.payout_accounts.service import (
    add,
    change,
    defaults_of,
    delete,
    details_of,
    get,
    list_of,
    load,
    number_of,
)
from monigo.payments.payout_accounts.tasks import resolve_task
from monigo.payments.payout_accounts.types import (
    AccountChanges,
    AccountDetails,
    PayoutAccount,
    Resolution,
    ResolutionState,
)
from monigo.providers.port import Bank

__all__ = [
    "AccountChanges",
    "AccountDetails",
    "Asked",
    "Bank",
    "BankDirectory",
    "PayoutAccount",
    "Resolution",
    "ResolutionState",
    "add",
    "ask_name",
    "change",
    "defaults_of",
    "delete",
    "details_of",
    "events",
    "get",
    "list_of",
    "load",
    "masked",
    "number_of",
    "paying_connection",
    "record_name",
    "resolve_task",
]
