"""Sends what is owed of bills: legs, the accounts that they go to, and transfers of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monigo import invoicing, tenancy
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import CustomerId, InvoiceId, PayoutAccountId, PayoutLegId
from monigo.core.money import Money
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.invoicing import Invoice
from monigo.payments import connections, payout_accounts, transfers
from monigo.payments.connections import Purpose
from monigo.payments.payout_accounts import PayoutAccount
from monigo.payments.transfers import NewTransfer, Transfer
from monigo.payouts import splits, store
from monigo.payouts.types import Leg, LegState, Part, Payout, PayoutState


class Parcel(Struct, frozen=True):
    """Legs of one payee that go to one account, by one transfer; the first one leads them."""

    account: PayoutAccount
    legs: tuple[Leg, ...]

    @property
    def amount(self) -> Money:
        """What is sent."""
        total = Money.zero(self.account.currency)
        for leg in self.legs:
            total += leg.amount
        return total


class Sending(Struct, frozen=True):
    """What can be sent of bills of one payee and currency; `missing` is why nothing can be.

    `made` are legs that are not stored yet.
    """

    customer_id: CustomerId
    currency: str
    bills: tuple[Invoice, ...]
    made: tuple[Leg, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    missing: DomainError | None = None

    @property
    def amount(self) -> Money:
        """What is sent."""
        total = Money.zero(self.currency)
        for parcel in self.parcels:
            total += parcel.amount
        return total


async def plan(
    tx: Transaction, bills: Iterable[Invoice], only: Collection[PayoutLegId] | None = None
) -> list[Sending]:
    """What is owed of locked bills, by payee and currency; `only` some legs, where it is given.

    Constant in statements, but that it reads the accounts of each currency.
    """
    by_payee: dict[tuple[CustomerId, str], list[Invoice]] = {}
    for bill in bills:
        by_payee.setdefault((bill.customer_id, bill.currency), []).append(bill)
    ids = [bill.id for found in by_payee.values() for bill in found]
    known = await store.load_legs(tx, ids)
    split = await splits.splits_of_bills(tx, [one for one in ids if one not in known])
    accounts = await _accounts(tx, by_payee, [*known.values()], split)
    can_pay = {
        currency: await connections.pick(tx, currency=currency, purpose=Purpose.PAY_OUT) is not None
        for currency in sorted({currency for _, currency in by_payee})
    }
    is_suspended = (await tenancy.get_organization(tx)).suspended_at is not None
    planned: list[Sending] = []
    for (customer_id, currency), owed in by_payee.items():
        made = [
            leg
            for bill in owed
            if bill.id not in known
            for leg in _new_legs(bill, split.get(bill.id, ()), tx.now)
        ]
        stored = [leg for bill in owed for leg in known.get(bill.id, ())]
        legs = [
            leg
            for leg in (*stored, *made)
            if leg.state is LegState.OWED and (only is None or leg.id in only)
        ]
        sending = Sending(customer_id, currency, tuple(owed), tuple(made))
        if is_suspended:
            planned.append(replace(sending, missing=tenancy.organization_suspended()))
        elif not can_pay[currency]:
            message = f"no payment connection pays out {currency}"
            planned.append(replace(sending, missing=conflict("no_payout_connection", message)))
        else:
            planned.append(_with_parcels(sending, legs, accounts))
    return planned


class _Accounts(Struct, frozen=True):
    """The default accounts of payees by currency, and those that splits name."""

    defaults: Mapping[tuple[CustomerId, str], PayoutAccount]
    named: Mapping[PayoutAccountId, PayoutAccount]


async def _accounts(
    tx: Transaction,
    by_payee: Mapping[tuple[CustomerId, str], Sequence[Invoice]],
    known: Iterable[Sequence[Leg]],
    split: Mapping[InvoiceId, Sequence[splits.Split]],
) -> _Accounts:
    defaults: dict[tuple[CustomerId, str], PayoutAccount] = {}
    for currency in sorted({currency for _, currency in by_payee}):
        payees = [customer_id for customer_id, other in by_payee if other == currency]
        found = await payout_accounts.defaults_of(tx, payees, currency)
        defaults |= {(customer_id, currency): one for customer_id, one in found.items()}
    named = {one.payout_account_id for found in split.values() for one in found}
    named |= {leg.to_account_id for legs in known for leg in legs if leg.to_account_id is not None}
    return _Accounts(defaults, await payout_accounts.load(tx, named) if named else {})


def _with_parcels(sending: Sending, legs: Iterable[Leg], accounts: _Accounts) -> Sending:
    by_account: dict[PayoutAccountId, tuple[PayoutAccount, list[Leg]]] = {}
    for leg in legs:
        if leg.to_account_id is None:
            account = accounts.defaults.get((sending.customer_id, sending.currency))
        else:
            account = accounts.named.get(leg.to_account_id)
        if account is None and leg.to_account_id is None:
            message = f"the customer has no default payout account in {sending.currency}"
            return replace(sending, missing=conflict("no_payout_account", message))
        if account is None or account.currency != sending.currency:
            message = f"a payout account of the plan's splits is not there in {sending.currency}"
            return replace(sending, missing=conflict("no_payout_account", message))
        by_account.setdefault(account.id, (account, []))[1].append(leg)
    parcels = tuple(Parcel(account, tuple(found)) for account, found in by_account.values())
    return replace(sending, parcels=parcels)


def _new_legs(bill: Invoice, split: Sequence[splits.Split], now: datetime) -> list[Leg]:
    """The legs of a bill, whose sum is exactly what is due of it."""
    return [
        Leg(
            id=PayoutLegId(new_id()),
            bill_id=bill.id,
            position=position,
            customer_id=bill.customer_id,
            to_account_id=account_id,
            amount=Money(amount, bill.currency),
            created_at=now,
        )
        for position, (account_id, amount) in enumerate(splits.split_up(bill.due, split))
    ]


async def send(
    tx: Transaction,
    sendings: Sequence[Sending],
    payouts: Mapping[InvoiceId, Payout],
    *,
    is_awaited: bool = False,
) -> list[Transfer]:
    """Intend to send what is owed of locked bills; nothing leaves before the transaction commits.

    Raises:
        DomainError: conflict, where something is missing, or a transfer of a leg is under way.
    """
    parcels = [(sending, parcel) for sending in sendings for parcel in sending.parcels]
    await store.insert_legs(tx, [leg for sending in sendings for leg in sending.made])
    made = await transfers.create(
        tx, [_new_transfer(*each, is_awaited=is_awaited) for each in parcels]
    )
    sent: list[Leg] = []
    parts: list[Part] = []
    for (_, parcel), transfer in zip(parcels, made, strict=True):
        for leg in parcel.legs:
            parts.append(Part(transfer.id, leg.id, leg.amount.amount))
            sent.append(
                replace(
                    leg,
                    state=LegState.SENDING,
                    transfer_id=transfer.id,
                    payee_id=parcel.account.customer_id,
                    failure_code="",
                    failure_reason="",
                    sent_at=tx.now,
                )
            )
    await store.insert_parts(tx, parts)
    await store.update_legs(tx, sent)
    await store.update(
        tx,
        [
            replace(
                payouts[bill_id],
                state=PayoutState.SENDING,
                reason="",
                initiated_by=str(tx.principal),
                initiated_at=tx.now,
            )
            for bill_id in {leg.bill_id for leg in sent}
        ],
    )
    for currency in sorted({sending.currency for sending in sendings}):
        total = Money.zero(currency)
        for sending in sendings:
            if sending.currency == currency:
                total += sending.amount
        await store.add_to_batch(tx, total)
    return made


def _new_transfer(sending: Sending, parcel: Parcel, *, is_awaited: bool) -> NewTransfer:
    leader = parcel.legs[0]
    numbers = {
        bill.id: invoicing.invoice_number(bill.number, bill.plan_type) for bill in sending.bills
    }
    others = len({leg.bill_id for leg in parcel.legs}) - 1
    return NewTransfer(
        leg_id=leader.id,
        bill_id=leader.bill_id,
        customer_id=sending.customer_id,
        payout_account_id=parcel.account.id,
        amount=parcel.amount,
        narration=numbers[leader.bill_id] + (f" and {others} more" if others else ""),
        is_awaited=is_awaited,
    )
