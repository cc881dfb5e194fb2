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
from monigo.core.ids import CreditGrantId, CustomerId, LedgerAccountId, MetricId
from monigo.core.money import Money, format_money
from monigo.core.paging import Page, PageRequest
from monigo.core.times import format_instant
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import AccountKind, Direction, EntryType, NewAccount, RequestKey
from monigo.wallets import due, movements, service
from monigo.wallets.credits import store
from monigo.wallets.credits.rules import check_can_revoke, look_again_at, may_still_pay
from monigo.wallets.credits.types import CreditGrant, GrantRequest
from monigo.wallets.events import CreditExpired, CreditGranted, CreditRevoked, ReportedCredit
from monigo.wallets.movements import content_hash
from monigo.wallets.types import AskedFor, Movement, Wallet

REFERENCE = "credit_grant"

# For customers and currencies: when the first period ends that is not paid yet.
OpenPeriods = Callable[
    [Transaction, Collection[CustomerId]], Awaitable[Mapping[tuple[CustomerId, str], datetime]]
]


async def grant(tx: Transaction, wanted: GrantRequest) -> CreditGrant:
    """Give a wallet credit; a repeat gets the first answer.

    Raises:
        DomainError: not_found; invalid (currency, metrics, expiry); conflict, when the wallet is
            not active or the key was used for something else.
    """
    key, content = RequestKey(wanted.wallet_id, wanted.idempotency_key), _content(wanted)
    batch = await movements.lock(tx, [wanted.wallet_id], [key])
    wallet = batch.wallet(wanted.wallet_id)
    kept = batch.find_repeated(key, content)
    if kept is not None:
        return await _as_granted(tx, CreditGrantId(UUID(kept.result["grant_id"])))
    account = NewAccount(LedgerAccountId(new_id()), AccountKind.CREDIT_GRANT, wallet.currency)
    granted = _new(tx, wanted, account.id)
    batch.decide(
        Movement(
            wallet_id=wallet.id,
            direction=Direction.CREDIT,
            amount=wanted.amount,
            entry_type=EntryType.CREDIT_GRANT,
            idempotency_key=wanted.idempotency_key,
            description=wanted.description,
            reference_type=REFERENCE,
            reference_id=str(granted.id),
            grant_account_id=account.id,
            asked_for=AskedFor(content, {"grant_id": str(granted.id)}),
        )
    )
    await _check(tx, wanted)
    await ledger.open_accounts(tx, [account])
    await store.insert(tx, granted)
    if granted.expires_at is not None:
        await agenda.put(tx, due.CREDIT_EXPIRY, {granted.id: granted.expires_at})
    await batch.post_unread()
    fact = credit_fact(
        CreditGranted, wallet, granted, granted.amount, expires_at=granted.expires_at
    )
    await outbox.emit(tx, [fact])
    tx.changed(None, granted)
    return granted


async def revoke(tx: Transaction, wallet_id: UUID, grant_id: UUID) -> CreditGrant:
    """Take back what is left of a grant, for good; what comes back to it later goes, too.

    Raises:
        DomainError: not_found (wallet, or a grant of it); conflict, when it is revoked already.
    """
    batch = await movements.lock(tx, [wallet_id])
    wallet = batch.wallet(wallet_id)
    known = [one for one in await store.load(tx, [grant_id]) if one.wallet_id == wallet.id]
    if not known:
        raise not_found("credit_grant")
    check_can_revoke(known[0])
    await store.revoke(tx, known[0].id)
    await agenda.cancel(tx, due.CREDIT_EXPIRY, [known[0].id])
    if known[0].remaining:
        batch.decide(taken_back(known[0], known[0].remaining, EntryType.CREDIT_REVOCATION))
        await batch.post_unread()
    await outbox.emit(tx, [credit_fact(CreditRevoked, wallet, known[0], known[0].remaining)])
    revoked = (await store.load(tx, [known[0].id]))[0]
    tx.changed(known[0], revoked)
    return revoked


async def list_credits(tx: Transaction, wallet_id: UUID, request: PageRequest) -> Page[CreditGrant]:
    """A wallet's grants, newest first.

    Raises:
        DomainError: not_found.
    """
    wallet = await service.get(tx, wallet_id)
    return await store.list_page(tx, wallet.id, request)


async def expire_credits(
    tx: Transaction, entries: Sequence[Entry], *, open_periods: OpenPeriods | None = None
) -> Collection[UUID]:
    """Expire credit grants: revoke what is left of them. Grants of locked wallets stay due.

    One that may still pay a period which is open is left, and looked at again later. In a constant
    number of statements, however many wallets they belong to.
    """
    known = await store.load(tx, [entry.subject for entry in entries])
    batch = await movements.lock_free(tx, {one.wallet_id for one in known})
    wallets = batch.wallets
    free = [one.id for one in known if one.wallet_id in wallets]
    # What they hold is certain now that nobody else has their wallets.
    grants = await store.load(tx, free)
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
    expired = await store.expire(tx, [one.id for one in grants if one.id not in kept])
    left = [one for one in await store.load(tx, expired) if one.remaining > 0]
    for one in left:
        batch.decide(taken_back(one, one.remaining, EntryType.CREDIT_EXPIRY))
    await batch.post_unread()
    await outbox.emit(
        tx,
        [
            credit_fact(CreditExpired, batch.wallet(one.wallet_id), one, one.remaining)
            for one in left
        ],
    )
    return {one.id for one in known} - set(free)


async def revive(tx: Transaction, kept_until: Mapping[CreditGrantId, datetime]) -> None:
    """Let expired grants of locked wallets have something again, until an instant each at least."""
    if not kept_until:
        return
    await store.revive(tx, list(kept_until))
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
    found = await store.load(tx, [grant_id])
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
        currency=wanted.amount.currency,
        amount=wanted.amount.amount,
        remaining=wanted.amount.amount,
        priority=wanted.priority,
        metric_ids=tuple(dict.fromkeys(wanted.metric_ids)),
        description=wanted.description,
        expires_at=wanted.expires_at,
        created_at=tx.now,
        updated_at=tx.now,
        expired_at=None,
        revoked_at=None,
    )


def taken_back(grant: CreditGrant, amount: Decimal, entry_type: EntryType) -> Movement:
    """So much out of a grant that expires or is revoked, back to where it came from."""
    return Movement(
        wallet_id=grant.wallet_id,
        direction=Direction.DEBIT,
        amount=Money(amount, grant.currency),
        entry_type=entry_type,
        description=grant.description,
        reference_type=REFERENCE,
        reference_id=str(grant.id),
        grant_account_id=grant.account_id,
    )


def _content(wanted: GrantRequest) -> bytes:
    expires_at = wanted.expires_at
    metric_ids: Sequence[MetricId] = wanted.metric_ids
    return content_hash(
        "grant",
        {
            "amount": format_money(wanted.amount.amount),
            "currency": wanted.amount.currency,
            "priority": wanted.priority,
            "metric_ids": sorted(str(one) for one in metric_ids),
            "expires_at": None if expires_at is None else format_instant(expires_at),
            "description": wanted.description,
        },
    )


def credit_fact(
    fact_type: type[ReportedCredit],
    wallet: Wallet,
    grant: CreditGrant,
    amount: Decimal,
    **details: object,
) -> ReportedCredit:
    """A fact of one grant of a wallet."""
    return fact_type(
        wallet_id=wallet.id,
        customer_id=wallet.customer_id,
        currency=wallet.currency,
        credit_grant_id=grant.id,
        amount=amount,
        **details,  # pyright: ignore[reportArgumentType] - the fact's own fields
    )
