"""Reports on the books on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.ledger import AccountKind
from monigo.payouts import WithheldTax
from monigo.reports import CurrencyBalances, Debt, Side, TrialBalance


class AccountBalanceOut(Outgoing, frozen=True):
    """What all accounts of a kind hold together."""

    kind: AccountKind
    side: Annotated[Side, Meta(description="of zero, on which accounts of the kind may stand")]
    balance: Annotated[Money, Meta(description="what an account gives makes it go down")]


class CurrencyBalancesOut(Outgoing, frozen=True):
    """The accounts of a currency."""

    currency: Annotated[str, Meta(examples=["NGN"])]
    accounts: list[AccountBalanceOut]
    total: Annotated[Money, Meta(description="zero, as each transfer takes what it gives")]

    @classmethod
    def of(cls, balances: CurrencyBalances) -> Self:
        """The wire form."""
        return cls(
            currency=balances.currency,
            accounts=[
                AccountBalanceOut(kind=one.kind, side=one.side, balance=format_money(one.balance))
                for one in balances.accounts
            ],
            total=format_money(balances.total),
        )


class TrialBalanceOut(Outgoing, frozen=True):
    """All accounts of the books and of wallets at an instant, in one mode."""

    is_test: bool
    at: Annotated[Instant, Meta(description="transfers up to it are counted")]
    currencies: list[CurrencyBalancesOut]


class TrialBalanceEnvelope(Outgoing, frozen=True):
    """A trial balance."""

    trial_balance: TrialBalanceOut

    @classmethod
    def of(cls, tx: Transaction, balance: TrialBalance) -> Self:
        """The wire form."""
        return cls(
            trial_balance=TrialBalanceOut(
                is_test=tx.is_test,
                at=balance.at,
                currencies=[CurrencyBalancesOut.of(one) for one in balance.currencies],
            )
        )


class DebtOut(Outgoing, frozen=True):
    """What a customer owes in a currency, by how long it is overdue."""

    customer_id: UUID
    currency: Annotated[str, Meta(examples=["NGN"])]
    invoices: int
    amount: Money
    taken_back: Annotated[
        Money,
        Meta(description="of the amount, what providers took back of payments; booked as a loss"),
    ]
    paid_twice: Annotated[
        Money, Meta(description="of the amount, what was paid out beside what was owed")
    ]
    not_yet_due: Money
    up_to_30_days: Money
    up_to_60_days: Money
    up_to_90_days: Money
    over_90_days: Money
    oldest_due_at: Instant

    @classmethod
    def of(cls, debt: Debt) -> Self:
        """The wire form."""
        return cls(
            customer_id=debt.customer_id,
            currency=debt.currency,
            invoices=debt.invoices,
            amount=format_money(debt.amount),
            taken_back=format_money(debt.taken_back),
            paid_twice=format_money(debt.paid_twice),
            not_yet_due=format_money(debt.not_yet_due),
            up_to_30_days=format_money(debt.up_to_30_days),
            up_to_60_days=format_money(debt.up_to_60_days),
            up_to_90_days=format_money(debt.up_to_90_days),
            over_90_days=format_money(debt.over_90_days),
            oldest_due_at=debt.oldest_due_at,
        )


class DebtList(ListEnvelope, frozen=True):
    """What customers owe, those who owe longest first."""

    receivables: list[DebtOut]


class WithheldTaxOut(Outgoing, frozen=True):
    """What was withheld of a payee's bills of a year, in a currency."""

    customer_id: UUID
    customer_name: str
    currency: Annotated[str, Meta(examples=["NGN"])]
    bills: int
    subtotal: Money
    wht_amount: Money
    amount_paid: Money

    @classmethod
    def of(cls, tax: WithheldTax) -> Self:
        """The wire form."""
        return cls(
            customer_id=tax.customer_id,
            customer_name=tax.customer_name,
            currency=tax.currency,
            bills=tax.bills,
            subtotal=format_money(tax.subtotal),
            wht_amount=format_money(tax.withheld),
            amount_paid=format_money(tax.paid),
        )


class WithheldTaxList(ListEnvelope, frozen=True):
    """The tax withheld of payees' bills."""

    withholding_tax: list[WithheldTaxOut]
