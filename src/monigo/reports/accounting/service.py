"""Use cases of the reports on the books."""

from datetime import datetime

from monigo import books
from monigo.core.errors import invalid
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.reports.accounting import rules, store
from monigo.reports.accounting.types import Debt, TrialBalance


async def trial_balance(tx: Transaction, at: datetime | None) -> TrialBalance:
    """All accounts, the wallets' among them, as they stood at an instant; None is now.

    Raises:
        DomainError: invalid (at), when it lies in the future.
    """
    if at is not None and at > tx.now:
        raise invalid({"at": "must not lie in the future"})
    instant = at or tx.now
    return rules.trial_balance(await books.trial_balance(tx, instant), instant)


async def receivables_aging(tx: Transaction, request: PageRequest) -> Page[Debt]:
    """Who owes how much since when, those who owe longest first.

    Invoices that are uncollectible are written off, and not among them. What a provider took back
    of a payment, and no wallet had any more, is booked as a loss, and is among them.
    """
    return await store.list_debts(tx, request)
