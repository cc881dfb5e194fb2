"""Credits and debits: many go together, each succeeds or fails by itself."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from monigo import ledger
from monigo.core.errors import DomainError, not_found, without_frames
from monigo.core.ids import TransactionId, WalletId
from monigo.core.money import EXACT, format_money
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import (
    AccountKind,
    Direction,
    EntryType,
    KeptRequest,
    Posting,
    Request,
    RequestKey,
)
from monigo.wallets import due, service, top_ups
from monigo.wallets.requests import (
    check_same,
    content_hash,
    reused,
    wallet_facts,
    wallet_then,
)
from monigo.wallets.rules import after_movement, counter_kind
from monigo.wallets.types import Movement, MovementResult, Wallet, WalletAccounts


async def move(tx: Transaction, movement: Movement) -> MovementResult:
    """Credit or debit a wallet; a repeat gets the first answer.

    Raises:
        DomainError: not_found; invalid; insufficient; conflict, when the wallet is not active or
            the key was used for something else.
    """
    (answer,) = await move_all(tx, [movement])
    if isinstance(answer, DomainError):
        raise answer
    return answer


async def move_all(
    tx: Transaction, movements: Sequence[Movement]
) -> list[MovementResult | DomainError]:
    """Credit and debit many wallets, in the given order where they share one.

    A movement that can't be made is answered with its error and hinders no other.
    """
    wallets = await service.hold_all(tx, [movement.wallet_id for movement in movements])
    keys = {_key(movement) for movement in movements if movement.wallet_id in wallets}
    kept = await ledger.find_requests(tx, list(keys)) if keys else {}
    group = _Group(tx, wallets, kept)
    decisions = [group.decide(movement) for movement in movements]
    transfers = await ledger.post(tx, group.postings, group.requests)
    await due.note_credited(tx, group.credited)
    await top_ups.count_deposits(tx, group.deposits)
    await top_ups.ask_where_low(tx, group.debited)
    return [
        MovementResult(decision.wallet, [transfers[decision.position]])
        if isinstance(decision, _Made)
        else decision
        for decision in decisions
    ]


class _Made:
    """A movement that is made: which posting it is, and the wallet that it leaves."""

    __slots__ = ("content", "position", "wallet")

    def __init__(self, position: int, wallet: Wallet, content: bytes) -> None:
        self.position = position
        self.wallet = wallet
        self.content = content


class _Group:
    """Movements of one transaction, decided one after the other on locked wallets."""

    def __init__(
        self,
        tx: Transaction,
        wallets: Mapping[UUID, Wallet],
        kept: Mapping[RequestKey, KeptRequest],
    ) -> None:
        self.postings: list[Posting] = []
        self.requests: list[Request] = []
        self.credited: list[Wallet] = []
        # Of wallets with a rule that asks for money.
        self.deposits: dict[WalletId, Decimal] = {}
        self._now = tx.now
        self._wallets = dict(wallets)
        self._kept = kept
        self._made: dict[RequestKey, _Made] = {}
        self._debited: set[WalletId] = set()

    def decide(self, movement: Movement) -> "_Made | MovementResult | DomainError":
        """What comes of a movement; what is to be made is gathered for one posting."""
        try:
            return self._decide(movement)
        except DomainError as error:
            return without_frames(error)

    def _decide(self, movement: Movement) -> "_Made | MovementResult":
        wallet = self._wallets.get(movement.wallet_id)
        if wallet is None:
            raise not_found("wallet")
        key, content = _key(movement), movement_hash(movement)
        before = self._kept.get(key)
        if before is not None:
            check_same(before, content)
            return MovementResult(wallet_then(wallet, before.result), before.transfers)
        made = self._made.get(key)
        if made is not None:
            if made.content != content:
                raise reused()
            return made
        moved = replace(after_movement(wallet, movement), updated_at=self._now)
        self._wallets[wallet.id] = moved
        made = self._made[key] = _Made(len(self.postings), moved, content)
        if movement.direction is Direction.CREDIT:
            self.credited.append(moved)
        if moved.top_up_threshold is not None:
            self._note_for_rule(moved, movement)
        posting = movement_posting(moved.accounts, movement, TransactionId(new_id()))
        self.postings.append(posting)
        self.requests.append(Request(key, content, [posting.transaction_id], wallet_facts(moved)))
        return made

    @property
    def debited(self) -> list[Wallet]:
        """Wallets with a rule that something was taken from, as they are left."""
        return [self._wallets[wallet_id] for wallet_id in self._debited]

    def _note_for_rule(self, wallet: Wallet, movement: Movement) -> None:
        if movement.direction is Direction.DEBIT:
            self._debited.add(wallet.id)
        elif movement.entry_type is EntryType.DEPOSIT:
            before = self.deposits.get(wallet.id, Decimal(0))
            self.deposits[wallet.id] = EXACT.add(before, movement.amount)


def movement_posting(
    accounts: WalletAccounts, movement: Movement, transaction_id: TransactionId
) -> Posting:
    """The transfer that a movement is: between the wallet's money and one of its counters."""
    kind = counter_kind(movement.direction, movement.entry_type)
    counter = accounts.provider if kind is AccountKind.PROVIDER else accounts.revenue
    is_debit = movement.direction is Direction.DEBIT
    return Posting(
        transaction_id=transaction_id,
        from_account_id=accounts.money if is_debit else counter,
        to_account_id=counter if is_debit else accounts.money,
        amount=movement.amount,
        currency=movement.currency,
        entry_type=movement.entry_type,
        description=movement.description,
        reference_type=movement.reference_type,
        reference_id=movement.reference_id,
        counterparty=movement.provider_id,
        idempotency_key=movement.idempotency_key,
        metadata=movement.metadata,
    )


def _key(movement: Movement) -> RequestKey:
    return RequestKey(movement.wallet_id, movement.idempotency_key)


def movement_hash(movement: Movement) -> bytes:
    """What a repeat of the movement is compared by."""
    return content_hash(
        movement.direction.value,
        {
            "amount": format_money(movement.amount),
            "currency": movement.currency,
            "entry_type": movement.entry_type.value,
            "description": movement.description,
            "reference_type": movement.reference_type,
            "reference_id": movement.reference_id,
            "provider_id": movement.provider_id,
            "metadata": movement.metadata,
        },
    )
