"""Kinds of due work of wallets on the agenda."""

from collections.abc import Collection, Sequence

from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Statement, Transaction
from monigo.wallets.types import Wallet

# Of a reservation: it ends, and what it holds comes back.
RESERVATION_EXPIRY = Kind("reservation_expiry", Follows.TENANT)
# Of a credit grant: it ends, and what is left of it goes.
CREDIT_EXPIRY = Kind("credit_expiry", Follows.TENANT)
# Of a customer: a wallet got something that an invoice or a subscription may wait for.
WALLET_CREDITED = Kind("wallet_credited", Follows.TENANT)
# Of a wallet that is watched: its balance moved.
BALANCE_MOVED = Kind("balance_moved", Follows.TENANT)


def prepare_moved(tx: Transaction, moved: Collection[Wallet]) -> Sequence[Statement]:
    """Statements that put moved wallets on the agenda, as far as their balances are watched."""
    return agenda.prepare(tx, BALANCE_MOVED, {one.id: tx.now for one in moved if one.is_watched})


def prepare_credited(tx: Transaction, credited: Collection[Wallet]) -> Sequence[Statement]:
    """Statements that put credited wallets on the agenda, for payments that wait for money."""
    return agenda.prepare(tx, WALLET_CREDITED, {one.customer_id: tx.now for one in credited})
