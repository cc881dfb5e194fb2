"""Funding: how money comes into wallets, by links, bank accounts and automatic top-ups."""

from monigo.collection.funding import events
from monigo.collection.funding.received import (
    credit_wallets,
    debit_disputed,
    debit_refunded,
    debit_reversed,
)
from monigo.collection.funding.service import (
    close_account,
    close_accounts,
    fund,
    session_of,
    want_account,
)
from monigo.collection.funding.top_ups import (
    PULL_TOP_UPS,
    TOP_UP_PULL,
    note_default,
    note_failed,
    note_requested,
)
from monigo.collection.funding.types import Funding, Session
from monigo.collection.funding.verification import verify

__all__ = [
    "PULL_TOP_UPS",
    "TOP_UP_PULL",
    "Funding",
    "Session",
    "close_account",
    "close_accounts",
    "credit_wallets",
    "debit_disputed",
    "debit_refunded",
    "debit_reversed",
    "events",
    "fund",
    "note_default",
    "note_failed",
    "note_requested",
    "session_of",
    "verify",
    "want_account",
]
