"""Credits: granted for nothing, consumed by usage before money is, until expired or revoked.

A grant has an account of its own, so that it can't be overdrawn. It is changed only while its
wallet is locked.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from monigo import catalog, ledger
from monigo.core.errors import invalid, not_found
from monigo.core.ids import CreditGrantId, CustomerId, LedgerAccountId, MetricId, TransactionId
from monigo.core.money import format_money
from monigo.core.paging import Page, PageRequest
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.agenda import Entry
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import AccountKind, EntryType, NewAccount, Posting, Request, RequestKey
from monigo.wallets import credits_store, due, service, store
from monigo.wallets.requests import check_same, content_hash
from monigo.wallets.rules import (
    check_can_revoke,
    check_usable,
    look_again_at,
    may_still_pay,
    plan_consumption,
)
from monigo.wallets.types import (
    Consumption,
    ConsumptionRequest,
    CreditGrant,
    GrantRequest,
    Wallet,
    WalletStatus,
)

REFERENCE = "credit_grant"

# Tells for customers and currencies when the first period ends that is not paid yet.
OpenPeriods = Callable[
    [Transaction, Collection[CustomerId]], Awaitable[Mapping[tuple[CustomerId, str], datetime]]
]


async def grant(tx: Transaction, wanted: GrantRequest) -> CreditGrant:
    """Give a wallet credit; a repeat gets the first answer.

    Raises:
        DomainError: not_found; invalid (currency, metrics, expiry); conflict, when the wallet is
            not active or the key was used for something else.
    """
    wallet = await service.hold(tx, wanted.wallet_id)
    key, content = RequestKey(wallet.id, wanted.idempotency_key), _content(wanted)
    kept = (await ledger.find_requests(tx, [key])).get(key)
    if kept is not None:
        check_same(kept, content)
        return await _as_granted(tx, CreditGrantId(UUID(kept.result["grant_id"])))
    check_usable(wallet, wanted.currency)
    await _check(tx, wanted)
    account = NewAccount(LedgerAccountId(new_id()), AccountKind.CREDIT_GRANT, wallet.currency)
    await ledger.open_accounts(tx, [account])
    granted = _new(tx, wanted, account.id)
    await credits_store.insert(tx, granted)
    posting = replace(
        _posting(wallet, granted, wanted.amount, EntryType.CREDIT_GRANT),
        from_account_id=wallet.accounts.revenue,
        to_account_id=account.id,
        idempotency_key=wanted.idempotency_key,
    )
    request = Request(key, content, [posting.transaction_id], {"grant_id": str(granted.id)})
    await ledger.move(tx, [posting], [request])
    if granted.expires_at is not None:
        await agenda.put(tx, due.CREDIT_EXPIRY, {granted.id: granted.expires_at})
    await due.note_credited(tx, [wallet])
    return granted


async def revoke(tx: Transaction, wallet_id: UUID, grant_id: UUID) -> CreditGrant:
    """Take back what is left of a grant, for good; what comes back to it later goes, too.

    Raises:
        DomainError: not_found (wallet, or a grant of it); conflict, when it is revoked already.
    """
    wallet = await service.hold(tx, wallet_id)
    known = [one for one in await credits_store.load(tx, [grant_id]) if one.wallet_id == wallet.id]
    if not known:
        raise not_found("credit_grant")
    check_can_revoke(known[0])
    await credits_store.revoke(tx, known[0].id)
    await agenda.cancel(tx, due.CREDIT_EXPIRY, [known[0].id])
    if known[0].remaining:
        await ledger.move(tx, [revocation_posting(wallet, known[0], known[0].remaining)])
    return (await credits_store.load(tx, [known[0].id]))[0]


async def list_credits(tx: Transaction, wallet_id: UUID, request: PageRequest) -> Page[CreditGrant]:
    """A wallet's grants, newest first.

    Raises:
        DomainError: not_found.
    """
    wallet = await service.get(tx, wallet_id)
    return await credits_store.list_page(tx, wallet.id, request)


async def consume(tx: Transaction, wanted: ConsumptionRequest) -> list[Consumption]:
    """Pay what is due by metric from a wallet's credits, as far as they go; what they paid.

    Raises:
        DomainError: not_found; conflict, when the wallet is not active.
    """
    wallet = await service.hold(tx, wanted.wallet_id)
    check_usable(wallet, wallet.currency)
    (paid,) = await consume_all(tx, [wanted])
    return paid


async def consume_all(
    tx: Transaction, wanted: Sequence[ConsumptionRequest]
) -> list[list[Consumption]]:
    """As `consume`, for many wallets in a constant number of statements.

    Nothing is paid where a wallet is unknown or not active.
    """
    wallets = await service.hold_all(tx, [one.wallet_id for one in wanted])
    usable = {one.id: one for one in await credits_store.list_usable(tx, list(wallets))}
    postings: list[Posting] = []
    answers: list[list[Consumption]] = []
    for one in wanted:
        wallet = wallets.get(one.wallet_id)
        if wallet is None or wallet.status is not WalletStatus.ACTIVE:
            answers.append([])
            continue
        grants = [known for known in usable.values() if known.wallet_id == wallet.id]
        plan = plan_consumption(grants, one.due, tx.now)
        transaction_id = TransactionId(new_id())
        for paid in plan:
            source = usable[paid.grant_id]
            usable[source.id] = replace(source, remaining=source.remaining - paid.amount)
            postings.append(usage_posting(wallet, source, paid, one, transaction_id))
        answers.append(plan)
    await ledger.move(tx, postings)
    return answers


async def expire_credits(
    tx: Transaction, entries: Sequence[Entry], *, open_periods: OpenPeriods | None = None
) -> Collection[UUID]:
    """Take back what expired grants still hold; those whose wallets somebody else has stay due.

    One that may still pay a period which is open is left, and looked at again later. In a constant
    number of statements, however many wallets they belong to.
    """
    known = await credits_store.load(tx, [entry.subject for entry in entries])
    wallets = await store.lock_free(tx, {one.wallet_id for one in known})
    free = [one.id for one in known if one.wallet_id in wallets]
    # What they hold is certain now that nobody else has their wallets.
    grants = await credits_store.load(tx, free)
    kept: set[CreditGrantId] = set()
    if open_periods is not None:
        ends = await open_periods(tx, {wallet.customer_id for wallet in wallets.values()})
        kept = {
            one.id
            for one in grants
            if may_still_pay(
                one, ends.get((wallets[one.wallet_id].customer_id, one.currency)), tx.now
            )
        }
    looks = {
        one.id: look_again_at(one.expires_at, tx.now)
        for one in grants
        if one.id in kept and one.expires_at is not None
    }
    await agenda.put(tx, due.CREDIT_EXPIRY, looks)
    expired = await credits_store.expire(tx, [one.id for one in grants if one.id not in kept])
    left = [one for one in await credits_store.load(tx, expired) if one.remaining > 0]
    await ledger.move(
        tx,
        [
            _posting(wallets[one.wallet_id], one, one.remaining, EntryType.CREDIT_EXPIRY)
            for one in left
        ],
    )
    return {one.id for one in known} - set(free)


async def revive(tx: Transaction, kept_until: Mapping[CreditGrantId, datetime]) -> None:
    """Let expired grants of locked wallets have something again, until an instant each at least."""
    if not kept_until:
        return
    await credits_store.revive(tx, list(kept_until))
    before = await agenda.due_of(tx, due.CREDIT_EXPIRY, list(kept_until))
    looks = {one: max(until, before.get(one, until)) for one, until in kept_until.items()}
    await agenda.put(tx, due.CREDIT_EXPIRY, looks)


async def _check(tx: Transaction, wanted: GrantRequest) -> None:
    faults: dict[str, str] = {}
    known = await catalog.get_metrics(tx, wanted.metric_ids)
    for position, metric_id in enumerate(wanted.metric_ids):
        if metric_id not in known:
            faults[f"metric_ids[{position}]"] = "unknown metric"
    if wanted.expires_at is not None and wanted.expires_at <= tx.now:
        faults["expires_at"] = "must lie in the future"
    if faults:
        raise invalid(faults)


async def _as_granted(tx: Transaction, grant_id: CreditGrantId) -> CreditGrant:
    """A grant as it was made, whatever became of it."""
    found = await credits_store.load(tx, [grant_id])
    if not found:
        raise not_found("credit_grant")
    return replace(
        found[0],
        remaining=found[0].amount,
        updated_at=found[0].created_at,
        expired_at=None,
        revoked_at=None,
    )


def _new(tx: Transaction, wanted: GrantRequest, account_id: LedgerAccountId) -> CreditGrant:
    return CreditGrant(
        id=CreditGrantId(new_id()),
        wallet_id=wanted.wallet_id,
        account_id=account_id,
        currency=wanted.currency,
        amount=wanted.amount,
        remaining=wanted.amount,
        priority=wanted.priority,
        metric_ids=tuple(dict.fromkeys(wanted.metric_ids)),
        description=wanted.description,
        expires_at=wanted.expires_at,
        created_at=tx.now,
        updated_at=tx.now,
        expired_at=None,
        revoked_at=None,
    )


def usage_posting(
    wallet: Wallet,
    source: CreditGrant,
    paid: Consumption,
    wanted: ConsumptionRequest,
    transaction_id: TransactionId,
) -> Posting:
    """What a grant pays of what is due for a metric."""
    metadata: Mapping[str, str] = (
        {} if paid.metric_id is None else {"metric_id": str(paid.metric_id)}
    )
    return replace(
        _posting(wallet, source, paid.amount, EntryType.USAGE),
        transaction_id=transaction_id,
        description=wanted.description,
        reference_type=wanted.reference_type,
        reference_id=wanted.reference_id,
        metadata=metadata,
    )


def refund_posting(
    wallet: Wallet,
    source: CreditGrant,
    paid: Consumption,
    wanted: ConsumptionRequest,
    transaction_id: TransactionId,
) -> Posting:
    """What goes back to a grant of what it paid for a metric."""
    return replace(
        usage_posting(wallet, source, paid, wanted, transaction_id),
        from_account_id=wallet.accounts.revenue,
        to_account_id=source.account_id,
        entry_type=EntryType.REFUND,
    )


def revocation_posting(wallet: Wallet, source: CreditGrant, amount: Decimal) -> Posting:
    """What is taken back of a grant that is revoked."""
    return _posting(wallet, source, amount, EntryType.CREDIT_REVOCATION)


def _posting(
    wallet: Wallet, source: CreditGrant, amount: Decimal, entry_type: EntryType
) -> Posting:
    """So much out of a grant, back to where it came from."""
    return Posting(
        transaction_id=TransactionId(new_id()),
        from_account_id=source.account_id,
        to_account_id=wallet.accounts.revenue,
        amount=amount,
        currency=source.currency,
        entry_type=entry_type,
        description=source.description,
        reference_type=REFERENCE,
        reference_id=str(source.id),
    )


def _content(wanted: GrantRequest) -> bytes:
    expires_at = wanted.expires_at
    metric_ids: Sequence[MetricId] = wanted.metric_ids
    return content_hash(
        "grant",
        {
            "amount": format_money(wanted.amount),
            "currency": wanted.currency,
            "priority": wanted.priority,
            "metric_ids": sorted(str(one) for one in metric_ids),
            "expires_at": None if expires_at is None else format_instant(expires_at),
            "description": wanted.description,
        },
    )
