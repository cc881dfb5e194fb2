"""The ledger: accounts, and transfers between them that never change."""

from monigo.ledger.service import (
    POSTINGS_MAX,
    entries,
    find_requests,
    load_accounts,
    open_accounts,
    post,
    prepare,
    totals,
)
from monigo.ledger.types import (
    Account,
    AccountKind,
    Direction,
    EntryType,
    KeptRequest,
    NewAccount,
    Posting,
    Request,
    RequestKey,
    Side,
    Total,
    Transfer,
)
from monigo.ledger.verification import verify

__all__ = [
    "POSTINGS_MAX",
    "Account",
    "AccountKind",
    "Direction",
    "EntryType",
    "KeptRequest",
    "NewAccount",
    "Posting",
    "Request",
    "RequestKey",
    "Side",
    "Total",
    "Transfer",
    "entries",
    "find_requests",
    "load_accounts",
    "open_accounts",
    "post",
    "prepare",
    "totals",
    "verify",
]
