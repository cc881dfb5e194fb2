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


def prepare_credited(tx: Transaction, credited: Collection[Wallet]) -> Sequence[Statement]:
    """Statements that put credited wallets on the agenda, for payments that wait for money."""
    return agenda.prepare(tx, WALLET_CREDITED, {one.customer_id: tx.now for one in credited})
