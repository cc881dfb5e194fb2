"""The one way for money to move in wallets: lock, decide by the rules, post, and what follows.

Whatever moves money or credits builds `Movement`s for it: requests of merchants, payments and
refunds of invoices, reservations, grants, and what expires. None makes transfers of its own, and
none chooses what follows from them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from monigo import audit, ledger
from monigo.audit import Call, Entry
from monigo.core.access import Principal
from monigo.core.errors import DomainError, not_found, without_frames
from monigo.core.ids import CustomerId, TransactionId, WalletId
from monigo.core.money import EXACT, format_money
from monigo.infra import outbox
from monigo.infra.db import Answer, Statement, Transaction
from monigo.infra.facts import Fact
from monigo.infra.ids import new_id
from monigo.ledger import Direction, KeptRequest, Posting, Request, RequestKey, Transfer
from monigo.tenancy import ApiKey
from monigo.wallets import due, store, top_ups
from monigo.wallets.events import movement_fact
from monigo.wallets.movements.requests import (
    check_same,
    content_hash,
    reused,
    wallet_facts,
    wallet_then,
)
from monigo.wallets.movements.rules import after_movement, is_deposit, is_use, sides_of
from monigo.wallets.types import Movement, MovementResult, Wallet


async def move(tx: Transaction, movement: Movement) -> MovementResult:
    """Credit or debit a wallet; a repeat gets the first answer.

    Raises:
        DomainError: not_found; invalid; insufficient; conflict, when the wallet is not active or
            the key was used for something else.
    """
    (outcome,) = await post(tx, [movement])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


async def post(
    tx: Transaction, movements: Sequence[Movement]
) -> list[MovementResult | DomainError]:
    """Make movements in many wallets, in the given order where they share one.

    A movement that can't be made is answered with its error and hinders no other.
    """
    return await post_on(await lock_for(tx, movements), movements)


async def lock_for(tx: Transaction, movements: Sequence[Movement]) -> "MovementBatch":
    """Lock the wallets that movements are of, as `lock` does."""
    return await lock(tx, _wallets_of(movements), _keys_of(movements))


def locking(movements: Sequence[Movement], api_keys: Collection[ApiKey]) -> Statement:
    """What a transaction begins with that makes movements: `locked_for` takes its answer.

    It also compares these API keys.
    """
    return store.locking(_wallets_of(movements), _keys_of(movements), api_keys)


async def locked_for(
    tx: Transaction, movements: Sequence[Movement], answer: Answer
) -> "MovementBatch":
    """As `lock_for`, by what a statement of `locking` has answered."""
    return await _locked(tx, _keys_of(movements), answer)


async def post_on(
    batch: "MovementBatch",
    movements: Sequence[Movement],
    askers: Sequence[tuple[Principal, Call]] = (),
    *,
    is_end: bool = False,
) -> list[MovementResult | DomainError]:
    """As `post`, on wallets that are locked; `is_end` may commit along with it.

    With `askers`, one a movement, the audit log gets an entry of what each of them moved.
    """
    decisions = [_attempt(batch, movement) for movement in movements]
    batch.audit_askers(askers, decisions)
    transfers = await batch.post(is_end=is_end)
    return [
        MovementResult(decision.wallet, [transfers[decision.position]])
        if isinstance(decision, DecidedMovement)
        else decision
        for decision in decisions
    ]


def _wallets_of(movements: Sequence[Movement]) -> set[UUID]:
    return {movement.wallet_id for movement in movements}


def _keys_of(movements: Sequence[Movement]) -> list[RequestKey]:
    return [
        RequestKey(movement.wallet_id, movement.idempotency_key)
        for movement in movements
        if movement.idempotency_key
    ]


class DecidedMovement:
    """A movement that is made: which posting it is, and the wallet before and after it."""

    __slots__ = ("before", "content_hash", "position", "wallet")

    def __init__(self, position: int, before: Wallet, wallet: Wallet, content_hash: bytes) -> None:
        self.position = position
        self.before = before
        self.wallet = wallet
        self.content_hash = content_hash


class MovementBatch:
    """Movements of one transaction on locked wallets: decided one by one, posted together."""

    def __init__(
        self,
        tx: Transaction,
        wallets: Iterable[Wallet],
        kept: Mapping[RequestKey, KeptRequest],
        *,
        are_api_keys_same: bool = False,
    ) -> None:
        # Whether the API keys that were given to `locking` are as they were known.
        self.are_api_keys_same = are_api_keys_same
        # As the movements decided so far leave them.
        self.wallets: dict[UUID, Wallet] = {wallet.id: wallet for wallet in wallets}
        self._tx = tx
        self._kept = kept
        self._decided: dict[RequestKey, DecidedMovement] = {}
        self._postings: list[Posting] = []
        self._requests: list[Request] = []
        self._credited: dict[WalletId, Wallet] = {}
        self._moved: dict[WalletId, Wallet] = {}
        self._used: set[WalletId] = set()
        self._deposits: dict[WalletId, Decimal] = {}
        # Those of which another part of the money is excess than before.
        self._other_excess: set[WalletId] = set()
        self._facts: list[Fact] = []

    def wallet(self, wallet_id: UUID) -> Wallet:
        """A locked wallet.

        Raises:
            DomainError: not_found.
        """
        wallet = self.wallets.get(wallet_id)
        if wallet is None:
            raise not_found("wallet")
        return wallet

    def find_repeated(self, key: RequestKey, content: bytes) -> KeptRequest | None:
        """What was asked under a key before this transaction.

        Raises:
            DomainError: conflict, when it was something else.
        """
        kept = self._kept.get(key)
        if kept is not None:
            check_same(kept, content)
        return kept

    def decide(self, movement: Movement) -> DecidedMovement | MovementResult:
        """Judge a movement after those before it; what is to be made is made by `post`.

        A repeat gets the first answer.

        Raises:
            DomainError: not_found; invalid; insufficient; conflict, when the wallet is not active
                or the key was used for something else.
        """
        wallet = self.wallet(movement.wallet_id)
        if not (movement.idempotency_key and movement.is_key_remembered):
            return self._add(wallet, movement, b"")
        key = RequestKey(wallet.id, movement.idempotency_key)
        asked_for = movement.asked_for
        content = movement_hash(movement) if asked_for is None else asked_for.content_hash
        kept = self.find_repeated(key, content)
        if kept is not None:
            return MovementResult(wallet_then(wallet, kept.result), kept.transfers)
        decided = self._decided.get(key)
        if decided is not None:
            if decided.content_hash != content:
                raise reused()
            return decided
        decided = self._decided[key] = self._add(wallet, movement, content)
        facts = wallet_facts(decided.wallet)
        if asked_for is not None:
            facts |= asked_for.facts
        transaction_id = self._postings[-1].transaction_id
        self._requests.append(Request(key, content, [transaction_id], facts))
        return decided

    def note_use(self, wallet_id: WalletId) -> None:
        """Have a wallet's rule ask for money where little is there, even if nothing is taken."""
        self._used.add(wallet_id)

    def audit_askers(
        self,
        askers: Sequence[tuple[Principal, Call]],
        decisions: Sequence[DecidedMovement | MovementResult | DomainError],
    ) -> None:
        """Write the decided movements to the audit log; repeats are not written.

        It goes with the facts of the movements, so that it costs no statement of its own.
        """
        made: dict[int, Entry] = {}
        for (who, call), decision in zip(askers, decisions, strict=bool(askers)):
            if isinstance(decision, DecidedMovement) and decision.position not in made:
                made[decision.position] = audit.entry_of(
                    who,
                    call,
                    at=self._tx.real_now,
                    resource=("wallet", decision.wallet.id),
                    changed=(_shown(decision.before), _shown(decision.wallet)),
                )
        if made:
            self._facts.append(audit.written(list(made.values())))

    async def post(self, *, is_end: bool = False) -> list[Transfer]:
        """Make what was decided, in one round trip, and what follows; the transfers, in order.

        `is_end` commits along with it, unless something follows that takes further statements.
        """
        return await self._post(is_read=True, is_end=is_end)

    async def post_unread(self) -> None:
        """As `post`, without reading the transfers."""
        await self._post(is_read=False, is_end=False)

    async def _post(self, *, is_read: bool, is_end: bool) -> list[Transfer]:
        """Post, report, note whose money moved; then see to top-ups, of which most have none."""
        posting = await ledger.prepare(self._tx, self._postings, self._requests, is_read=is_read)
        statements = [
            *posting.statements,
            *await outbox.prepare(self._tx, self._facts),
            *due.prepare_credited(self._tx, self._credited.values()),
            *due.prepare_moved(self._tx, self._moved.values()),
        ]
        low = top_ups.low_of([self.wallets[one] for one in self._used])
        if is_end and not (self._deposits or low or self._other_excess):
            return posting.made(await self._tx.commit_with(*statements))
        made = posting.made(await self._tx.send(*statements) if statements else ())
        await store.update_excess(self._tx, [self.wallets[one] for one in self._other_excess])
        await top_ups.count_deposits(self._tx, self._deposits)
        await top_ups.ask_where_low(self._tx, low)
        return made

    def _add(self, wallet: Wallet, movement: Movement, content: bytes) -> DecidedMovement:
        after = after_movement(wallet, movement, self._tx.now)
        self.wallets[wallet.id] = after
        self._tx.changed(wallet, after)
        if after.excess != wallet.excess:
            self._other_excess.add(wallet.id)
        posting = _posting(after, movement)
        self._postings.append(posting)
        if movement.grant_account_id is None:
            self._moved[wallet.id] = after
            self._facts.append(movement_fact(after, movement, posting.transaction_id))
        if movement.direction is Direction.CREDIT:
            self._credited[wallet.id] = after
            if after.top_up_threshold is not None and is_deposit(movement):
                before = self._deposits.get(wallet.id, Decimal(0))
                self._deposits[wallet.id] = EXACT.add(before, movement.amount.amount)
        elif is_use(movement):
            self._used.add(wallet.id)
        return DecidedMovement(len(self._postings) - 1, wallet, after, content)


async def lock(
    tx: Transaction, wallet_ids: Collection[UUID], keys: Sequence[RequestKey] = ()
) -> MovementBatch:
    """Lock wallets for movements, and find what was asked before under these keys of theirs.

    In one statement, where none of the keys was used.
    """
    (answer,) = await tx.send(store.locking(wallet_ids, keys))
    return await _locked(tx, keys, answer)


async def _locked(tx: Transaction, keys: Sequence[RequestKey], answer: Answer) -> MovementBatch:
    locked = store.locked(answer)
    kept = await ledger.find_requests(tx, keys) if locked.is_any_key_used else {}
    return MovementBatch(tx, locked.wallets, kept, are_api_keys_same=locked.are_api_keys_same)


async def lock_free(tx: Transaction, wallet_ids: Collection[UUID]) -> MovementBatch:
    """As `lock`, without the wallets that somebody else has."""
    return MovementBatch(tx, (await store.lock_free(tx, wallet_ids)).values(), {})


async def lock_of_owners(
    tx: Transaction, owners: Collection[tuple[CustomerId, str]]
) -> tuple[MovementBatch, dict[tuple[CustomerId, str], WalletId]]:
    """As `lock`, the wallets of customers in currencies; those who have none are absent."""
    locked = await store.lock_of_owners(tx, owners)
    ids = {owner: wallet.id for owner, wallet in locked.items()}
    return MovementBatch(tx, locked.values(), {}), ids


def _attempt(
    batch: MovementBatch, movement: Movement
) -> DecidedMovement | MovementResult | DomainError:
    try:
        return batch.decide(movement)
    except DomainError as error:
        return without_frames(error)


def _shown(wallet: Wallet) -> dict[str, str]:
    """What a movement changes of a wallet."""
    return {"balance": format_money(wallet.balance)}


def _posting(wallet: Wallet, movement: Movement) -> Posting:
    """The transfer that a movement is."""
    from_account_id, to_account_id = sides_of(wallet.accounts, movement)
    return Posting(
        transaction_id=movement.transaction_id or TransactionId(new_id()),
        from_account_id=from_account_id,
        to_account_id=to_account_id,
        amount=movement.amount.amount,
        currency=movement.amount.currency,
        entry_type=movement.entry_type,
        description=movement.description,
        reference_type=movement.reference_type,
        reference_id=movement.reference_id,
        counterparty=movement.provider_id,
        idempotency_key=movement.idempotency_key,
        metadata=movement.metadata,
    )


def movement_hash(movement: Movement) -> bytes:
    """What a repeat of the movement is compared by."""
    return content_hash(
        movement.direction.value,
        {
            "amount": format_money(movement.amount.amount),
            "currency": movement.amount.currency,
            "entry_type": movement.entry_type.value,
            "description": movement.description,
            "reference_type": movement.reference_type,
            "reference_id": movement.reference_id,
            "provider_id": movement.provider_id,
            "metadata": movement.metadata,
        },
    )
