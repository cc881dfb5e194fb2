"""Use cases of the books: post what happened, on accounts of the customers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

from monigo import ledger
from monigo.books import store
from monigo.books.types import Booking
from monigo.core.ids import CustomerId, LedgerAccountId, TransactionId
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import AccountKind, CustomerAccount, Posting, Total


def account_id(customer_id: CustomerId, currency: str, kind: AccountKind) -> LedgerAccountId:
    """A customer's account of a kind and currency, whether it is open or not."""
    return LedgerAccountId(uuid5(customer_id, f"{currency} {kind.value}"))


async def post(tx: Transaction, bookings: Sequence[Booking]) -> None:
    """Post what happened, in its order, in one round trip, however much it is.

    Accounts are opened with their first transfer. The caller holds the customers' locks, so that
    two that post for one customer in several steps don't wait for each other in a circle.

    An account's balance that may not be on one side of zero is the database's refusal
    (`ledger_accounts_balance_not_negative`, `ledger_accounts_balance_not_positive`), which ends
    the transaction: callers have found before that there is so much to pay, or to be paid.
    """
    accounts: dict[LedgerAccountId, CustomerAccount] = {}
    postings: list[Posting] = []
    for booking in bookings:
        if not booking.legs:
            continue
        subject, transaction_id = booking.subject, TransactionId(new_id())
        ids: dict[AccountKind, LedgerAccountId] = {}
        for leg in booking.legs:
            for kind in (leg.source, leg.target):
                if kind not in ids:
                    ids[kind] = known = account_id(subject.customer_id, subject.currency, kind)
                    accounts[known] = CustomerAccount(
                        known, kind, subject.currency, subject.customer_id
                    )
            postings.append(
                Posting(
                    transaction_id=transaction_id,
                    from_account_id=ids[leg.source],
                    to_account_id=ids[leg.target],
                    amount=leg.amount,
                    currency=subject.currency,
                    entry_type=booking.entry_type,
                    reference_type=subject.reference_type,
                    reference_id=subject.reference_id,
                    counterparty=booking.counterparty,
                )
            )
    if postings:
        await ledger.post_opening(tx, list(accounts.values()), postings)


async def trial_balance(tx: Transaction, at: datetime) -> Sequence[Total]:
    """What accounts of each kind held at an instant, the wallets' among them.

    Over the kinds of a currency the sum is zero. It counts transfers up to that instant of the
    tenant's time, of those that are committed by now.
    """
    return await store.load_balances(tx, at)
