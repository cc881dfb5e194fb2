"""Use cases of the ledger: open accounts, move money between them, look back."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from monigo.core.errors import ensure
from monigo.core.ids import LedgerAccountId, TransferId
from monigo.infra import json
from monigo.infra.db import Answer, Statement, Transaction
from monigo.infra.ids import new_id
from monigo.ledger import store
from monigo.ledger.types import (
    Account,
    CustomerAccount,
    KeptRequest,
    NewAccount,
    Posting,
    Request,
    RequestKey,
    Total,
    Transfer,
)

# Above what the widest billing statement moves; beyond it the caller goes in steps.
POSTINGS_MAX = 20_000


class PreparedPosting(Struct, frozen=True):
    """Transfers that are made by `statements`: one, or none where there is nothing to do."""

    statements: Sequence[Statement]
    _transfer_ids: Sequence[TransferId]
    _postings: Sequence[Posting]
    _made_at: datetime

    def made(self, answers: Sequence[Answer]) -> list[Transfer]:
        """The transfers, where they are read; the statements' answers come first of `answers`."""
        if not self.statements:
            return []
        return store.transfers_posted(answers[0], self._transfer_ids, self._postings, self._made_at)


async def open_accounts(tx: Transaction, accounts: Sequence[NewAccount]) -> None:
    """Open accounts, empty."""
    await store.insert_accounts(tx, accounts)


async def post_opening(
    tx: Transaction, accounts: Sequence[CustomerAccount], postings: Sequence[Posting]
) -> None:
    """As `post`, unread, with customers' accounts, some of which may not be there before.

    In one round trip.
    """
    posting = await prepare(tx, postings, is_read=False)
    await tx.send(store.opening(accounts, tx.now), *posting.statements)


async def load_accounts(
    tx: Transaction, account_ids: Sequence[LedgerAccountId]
) -> dict[LedgerAccountId, Account]:
    """Accounts by id, as they stand now; unknown ones are absent."""
    return await store.load_accounts(tx, account_ids)


async def post(
    tx: Transaction, postings: Sequence[Posting], requests: Sequence[Request] = ()
) -> list[Transfer]:
    """Make transfers in one statement, all or none; those of one account in their order.

    Accounts are locked in the order of their ids, whatever the order of the postings, so that no
    two callers wait for each other. `requests` are remembered along with it, for repeats to find.

    Callers check beforehand that there is enough: here too little is the database's refusal
    (`ledger_accounts_balance_not_negative`), which ends the transaction.

    Raises:
        DomainError: conflict, when another transaction remembered one of the keys meanwhile;
            invalid, beyond what an account can hold. Either ends the transaction.
    """
    posting = await prepare(tx, postings, requests)
    return posting.made(await tx.send(*posting.statements))


async def prepare(
    tx: Transaction,
    postings: Sequence[Posting],
    requests: Sequence[Request] = (),
    *,
    is_read: bool = True,
) -> PreparedPosting:
    """As `post`, to be sent along with other statements of `tx`.

    Where it is not `is_read`, nobody looks at the transfers.
    """
    ensure(len(postings) <= POSTINGS_MAX, f"at most {POSTINGS_MAX} postings go at once")
    ids = [TransferId(new_id()) for _ in postings]
    statements: list[Statement] = []
    if postings or requests:
        statements = [store.posting(ids, postings, requests, tx.now, is_read=is_read)]
    return PreparedPosting(statements, ids if is_read else [], postings if is_read else [], tx.now)


async def find_requests(
    tx: Transaction, keys: Sequence[RequestKey]
) -> dict[RequestKey, KeptRequest]:
    """What was asked before under these keys, with the transfers that came of it."""
    rows = await store.load_requests(tx, keys)
    ids = [TransferId(one) for row in rows.values() for one in row["transfer_ids"]]
    transfers = await store.load_transfers(tx, ids) if ids else {}
    return {
        key: KeptRequest(
            content_hash=row["content_hash"],
            transfers=[transfers[TransferId(one)] for one in row["transfer_ids"]],
            result=json.decode(row["result"]),
        )
        for key, row in rows.items()
    }


async def entries(
    tx: Transaction, account_id: LedgerAccountId, *, first: int, last: int
) -> list[Transfer]:
    """An account's transfers by their place in its chain, from the last to the first."""
    return await store.load_entries(tx, account_id, first=first, last=last)


async def totals(tx: Transaction) -> list[Total]:
    """What all accounts of each kind hold; over the kinds of a currency the sum is zero."""
    return await store.load_totals(tx)
