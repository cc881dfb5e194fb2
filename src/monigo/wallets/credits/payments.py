"""Payments of invoices from wallets, credits first, then money; and what is paid back of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.ids import (
    CreditGrantId,
    CustomerId,
    LedgerAccountId,
    MetricId,
    TransactionId,
    WalletId,
)
from monigo.core.money import EXACT, Money, whole_minor_units
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import Direction, EntryType
from monigo.wallets import movements
from monigo.wallets.credits import store
from monigo.wallets.credits.rules import in_minor_units, parts_of, payable_at, plan_consumption
from monigo.wallets.credits.service import revive, taken_back
from monigo.wallets.credits.types import Consumption, CreditGrant, PaidPart
from monigo.wallets.movements import MovementBatch
from monigo.wallets.types import Movement, Wallet, WalletStatus


class Extent(StrEnum):
    """How much of a payment is taken: all or nothing, what is there, or what credits have.

    The last one adds to credits the money that came in excess.
    """

    WHOLE = "whole"
    IN_PART = "in_part"
    CREDITS = "credits"
    CREDITS_AND_EXCESS = "credits_and_excess"


class Payment(Struct, frozen=True):
    """What a customer's wallet in a currency is to pay, and for what.

    `due` computes how much of it may be paid for each metric, None for what is not metered; the sum
    is `amount` or more. It is called only for wallets with credits, which may be limited to
    metrics. Whether a grant has expired is decided at `period_end`, the end of the paid period.
    What it pays is revenue, or where it is owed already, the account of that.
    """

    customer_id: CustomerId
    amount: Money
    due: Callable[[], Mapping[MetricId | None, Decimal]]
    period_end: datetime
    description: str
    reference_type: str
    reference_id: str
    extent: Extent = Extent.WHOLE
    counter_account_id: LedgerAccountId | None = None


class Repayment(Struct, frozen=True):
    """What was taken too much and goes back to the sources that paid it.

    What goes back to an expired grant is kept there for a while, `kept_for`, if its period may be
    billed again. With `is_excess` the money pays the customer's next invoices again.
    """

    customer_id: CustomerId
    currency: str
    parts: Sequence[PaidPart]
    description: str
    reference_type: str
    reference_id: str
    kept_for: timedelta = timedelta(0)
    is_excess: bool = False


async def pay_all(tx: Transaction, payments: Sequence[Payment]) -> list[list[PaidPart]]:
    """What each payment took, by its sources, in their order; nothing where it can't be had.

    Of wallets without credits money pays, for no metric by name. Customers without an active
    wallet in the currency have nothing. A constant number of statements, however many payments
    there are.
    """
    if not payments:
        return []
    batch, owners = await movements.lock_of_owners(
        tx, {(payment.customer_id, payment.amount.currency) for payment in payments}
    )
    grants = await store.list_usable(tx, list(owners.values()))
    plan = PaymentPlan(batch, owners, grants, tx.now)
    paid = [plan.pay(payment) for payment in payments]
    await batch.post_unread()
    return paid


async def repay_all(tx: Transaction, repayments: Sequence[Repayment]) -> None:
    """Pay back what was taken too much: to money what money paid, to each grant what it paid.

    A closed wallet gets it, too. What goes back to a revoked grant is taken back with it.
    """
    repayments = [one for one in repayments if one.parts]
    if not repayments:
        return
    batch, owners = await movements.lock_of_owners(
        tx, {(repayment.customer_id, repayment.currency) for repayment in repayments}
    )
    grant_ids = {part.grant_id for one in repayments for part in one.parts if part.grant_id}
    grants = {one.id: one for one in await store.load(tx, grant_ids)} if grant_ids else {}
    revived: dict[CreditGrantId, timedelta] = {}
    for repayment in repayments:
        wallet = batch.wallets[owners[repayment.customer_id, repayment.currency]]
        for movement in _refunds(wallet, repayment, grants):
            batch.decide(movement)
        for part in repayment.parts:
            if part.grant_id is not None and _is_over(grants[part.grant_id], tx.now):
                before = revived.get(part.grant_id, repayment.kept_for)
                revived[part.grant_id] = max(before, repayment.kept_for)
    await batch.post_unread()
    await revive(tx, {one: tx.now + kept_for for one, kept_for in revived.items()})


async def owners_with_credits_or_excess(
    tx: Transaction, customer_ids: Collection[CustomerId]
) -> set[tuple[CustomerId, str]]:
    """Whose active wallets, in which currencies, have credits or excess; mostly nobody's.

    Locks nothing.
    """
    return await store.owners_with_credits_or_excess(tx, customer_ids)


async def metrics_of_grants(
    tx: Transaction, grant_ids: Collection[CreditGrantId]
) -> dict[CreditGrantId, tuple[MetricId, ...]]:
    """The metrics that each grant is limited to; none where it pays for anything."""
    if not grant_ids:
        return {}
    return {one.id: one.metric_ids for one in await store.load(tx, grant_ids)}


class PaymentPlan:
    """Which sources pay the payments of one transaction, one after the other on locked wallets."""

    def __init__(
        self,
        batch: MovementBatch,
        owners: Mapping[tuple[CustomerId, str], WalletId],
        grants: Sequence[CreditGrant],
        now: datetime,
    ) -> None:
        self._batch = batch
        self._owners = owners
        self._now = now
        self._grants: dict[UUID, dict[UUID, CreditGrant]] = {}
        for grant in grants:
            self._grants.setdefault(grant.wallet_id, {})[grant.id] = grant

    def pay(self, payment: Payment) -> list[PaidPart]:
        """Decide what is taken for a payment, by its sources."""
        amount, currency = payment.amount.amount, payment.amount.currency
        wallet_id = self._owners.get((payment.customer_id, currency))
        if wallet_id is None:
            return []
        wallet = self._batch.wallets[wallet_id]
        if wallet.status is not WalletStatus.ACTIVE:
            return []
        self._batch.note_use(wallet.id)
        has_credits = wallet.id in self._grants
        unnamed: Mapping[MetricId | None, Decimal] = {None: amount}
        due = payment.due() if has_credits else unnamed
        plan = self._by_credits(wallet, payment, due) if has_credits else []
        by_credits = reduce(EXACT.add, (part.amount for part in plan), Decimal(0))
        is_excess = payment.extent is Extent.CREDITS_AND_EXCESS
        by_money = EXACT.subtract(amount, by_credits)
        if payment.extent is Extent.CREDITS:
            by_money = Decimal(0)
        elif is_excess:
            usable = min(wallet.excess, wallet.balance)
            by_money = min(by_money, whole_minor_units(usable, currency))
        elif by_money > wallet.balance:
            if payment.extent is Extent.WHOLE:
                return []
            by_money = wallet.balance
        leg = _leg(wallet, payment, Direction.DEBIT, EntryType.USAGE)
        self._take_credits(leg, plan)
        if by_money:
            money = Money(by_money, currency)
            self._batch.decide(replace(leg, amount=money, is_excess=is_excess))
        return parts_of(plan, due, by_money)

    def _by_credits(
        self, wallet: Wallet, payment: Payment, due: Mapping[MetricId | None, Decimal]
    ) -> list[Consumption]:
        plan = plan_consumption(
            list(self._grants[wallet.id].values()),
            due,
            payable_at(payment.period_end, self._now),
            amount=payment.amount.amount,
        )
        # What credits leave of a postpaid invoice is paid in a currency's own units.
        is_rest_due = payment.extent in {Extent.CREDITS, Extent.CREDITS_AND_EXCESS}
        return in_minor_units(plan, payment.amount.currency) if is_rest_due else plan

    def _take_credits(self, leg: Movement, plan: Sequence[Consumption]) -> None:
        for part in plan:
            grants = self._grants[leg.wallet_id]
            grant = grants[part.grant_id]
            self._batch.decide(_of_grant(leg, grant, part.metric_id, part.amount))
            grants[grant.id] = replace(grant, remaining=grant.remaining - part.amount)


def _refunds(
    wallet: Wallet, repayment: Repayment, grants: Mapping[CreditGrantId, CreditGrant]
) -> list[Movement]:
    """One movement of money, and one for each grant and metric."""
    made: list[Movement] = []
    leg = _leg(wallet, repayment, Direction.CREDIT, EntryType.REFUND)
    by_money = reduce(
        EXACT.add, (part.amount for part in repayment.parts if part.grant_id is None), Decimal(0)
    )
    if by_money:
        money = Money(by_money, repayment.currency)
        made.append(replace(leg, amount=money, is_excess=repayment.is_excess))
    for part in repayment.parts:
        if part.grant_id is None:
            continue
        grant = grants[part.grant_id]
        made.append(_of_grant(leg, grant, part.metric_id, part.amount))
        if grant.revoked_at is not None:
            made.append(taken_back(grant, part.amount, EntryType.CREDIT_REVOCATION))
    return made


def _is_over(grant: CreditGrant, now: datetime) -> bool:
    """Whether a grant may have been swept, or is to be."""
    return grant.revoked_at is None and grant.expires_at is not None and grant.expires_at <= now


def _leg(
    wallet: Wallet, cause: Payment | Repayment, direction: Direction, entry_type: EntryType
) -> Movement:
    """What the movements of one payment or refund have in common; the amount is each one's own."""
    return Movement(
        wallet_id=wallet.id,
        direction=direction,
        amount=Money.zero(wallet.currency),
        entry_type=entry_type,
        description=cause.description,
        reference_type=cause.reference_type,
        reference_id=cause.reference_id,
        transaction_id=TransactionId(new_id()),
        counter_account_id=cause.counter_account_id if isinstance(cause, Payment) else None,
    )


def _of_grant(
    leg: Movement, grant: CreditGrant, metric_id: MetricId | None, amount: Decimal
) -> Movement:
    """The leg that a grant pays for a metric, or gets back."""
    return replace(
        leg,
        amount=Money(amount, grant.currency),
        grant_account_id=grant.account_id,
        metadata={} if metric_id is None else {"metric_id": str(metric_id)},
    )
