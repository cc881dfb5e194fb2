"""Automatic top-ups: what a wallet's rule asks for is pulled from the customer's default card.

A pull that fails is tried again an hour later, three times within a day at most. Another default
card is asked at once.
"""

from collections.abc import Sequence
from datetime import timedelta

from monigo import wallets
from monigo.collection.funding.events import AutoTopUpStopped
from monigo.collection.funding.rules import (
    DECLINES_WITHIN,
    RETRIED_AFTER,
    declines_of,
    stops,
    stops_by,
)
from monigo.collection.waiting import await_outcomes
from monigo.core.ids import TopUpId, WalletId
from monigo.core.money import EXACT, Money
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Transaction
from monigo.payments import charges, connections, methods
from monigo.payments.charges import NewPull, Purpose
from monigo.wallets import TopUp, TopUpStatus, WalletStatus

# Of a top-up: its money is pulled.
TOP_UP_PULL = Kind("auto_top_up_pull", Follows.TENANT)
# A connection that is switched off is looked at again.
_LATER = timedelta(days=1)


async def note_requested(
    tx: Transaction, requested: Sequence[wallets.events.WalletTopUpRequested]
) -> None:
    """Have what rules ask for pulled. The request has its wallet's lock: nothing is pulled yet."""
    await agenda.put(tx, TOP_UP_PULL, {one.top_up_id: tx.now for one in requested})


async def note_default(
    tx: Transaction,
    chosen: Sequence[methods.events.PaymentMethodSaved | methods.events.PaymentMethodMadeDefault],
) -> None:
    """Have what is open of customers with another default card pulled from it."""
    for one in chosen:
        if isinstance(one, methods.events.PaymentMethodSaved) and not one.is_default:
            continue
        waiting = await wallets.list_open_top_ups(tx, one.customer_id)
        await agenda.put(tx, TOP_UP_PULL, dict.fromkeys(waiting, tx.now))


async def note_failed(tx: Transaction, failed: Sequence[charges.events.ChargeFailed]) -> None:
    """Try again later what a card was declined for, or stop where that is no use.

    Raises:
        DomainError: not_found, where a wallet is gone.
    """
    for one in failed:
        if one.purpose is Purpose.TOP_UP and one.top_up_id and one.wallet_id:
            await _note_failed(tx, one, one.top_up_id, one.wallet_id)


async def _note_failed(
    tx: Transaction, one: charges.events.ChargeFailed, top_up_id: TopUpId, wallet_id: WalletId
) -> None:
    method_id = (await charges.get_charge(tx, one.charge_id)).method_id
    if method_id is None or not charges.is_of_payer(one.code):
        # The merchant's or the line's fault passes, and is no decline.
        await agenda.put(tx, TOP_UP_PULL, {top_up_id: tx.now + RETRIED_AFTER})
        return
    recent = await charges.charges_of_wallet(tx, wallet_id, tx.now - DECLINES_WITHIN)
    declines = declines_of(recent, method_id)
    if not stops(one.code, declines):
        await agenda.put(tx, TOP_UP_PULL, {top_up_id: tx.now + RETRIED_AFTER})
        return
    wallet = await wallets.lock_wallet(tx, wallet_id)
    stopped = AutoTopUpStopped(
        wallet_id=wallet.id,
        customer_id=wallet.customer_id,
        currency=wallet.currency,
        top_up_id=top_up_id,
        method_id=method_id,
        declines=declines,
        code=one.code,
    )
    await outbox.emit(tx, [stopped])


async def pull(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Intend the pulls of top-ups; the providers are asked by the charges' own due work."""
    for entry in entries:
        await _pull(tx, await wallets.get_top_up(tx, TopUpId(entry.subject)))
    return ()


async def _pull(tx: Transaction, top_up: TopUp) -> None:
    wallet = await wallets.get(tx, top_up.wallet_id)
    if top_up.status is not TopUpStatus.OPEN or wallet.status is not WalletStatus.ACTIVE:
        return
    card = (await methods.defaults_of(tx, [wallet.customer_id])).get(wallet.customer_id)
    if card is None or await charges.live_top_up_of(tx, wallet.id) is not None:
        return
    recent = await charges.charges_of_wallet(tx, wallet.id, tx.now - DECLINES_WITHIN)
    if stops_by(recent, card.id):
        return
    connection = await connections.find(tx, card.connection_id)
    if connection is None or not connection.is_enabled:
        await agenda.put(tx, TOP_UP_PULL, {top_up.id: tx.now + _LATER})
        return
    wanted = NewPull(
        purpose=Purpose.TOP_UP,
        amount=Money(EXACT.subtract(top_up.amount, top_up.deposited_amount), top_up.currency),
        method=card,
        wallet_id=wallet.id,
        top_up_id=top_up.id,
        description="wallet top-up",
        is_unattended=True,
    )
    await await_outcomes(tx, await charges.create_pulls(tx, [wanted]))


# One failing top-up is tried alone, and holds up no other.
PULL_TOP_UPS = Task(TOP_UP_PULL, Slices(pull))
