"""Splits of payout plans on the wire."""

from typing import Self

from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Amount, Id, Incoming, RateIn
from monigo.api.kernel.wire.outgoing import Money, Outgoing, RateText, money_or_null
from monigo.core.ids import PayoutAccountId, PlanId
from monigo.core.money import format_decimal
from monigo.payouts import SPLITS_MAX, PlanSplits, Split


class SplitIn(Incoming):
    """What of each bill goes to an account: a percentage of its total, or a fixed amount."""

    payout_account_id: Id = Field(examples=["0194f2c1-7c3e-7b1a-9d3e-0f6b1c2d3e4f"])
    percentage: RateIn | None = Field(default=None, examples=["10"])
    amount: Amount | None = Field(default=None, examples=["500.000000"])

    def split(self) -> Split:
        """What is asked for."""
        return Split(PayoutAccountId(self.payout_account_id), self.percentage, self.amount)


class SplitsIn(Incoming):
    """All splits of a plan, in place of those that it has."""

    splits: list[SplitIn] = Field(
        max_length=SPLITS_MAX,
        examples=[
            [{"payout_account_id": "0194f2c1-7c3e-7b1a-9d3e-0f6b1c2d3e4f", "percentage": "10"}]
        ],
    )


class SplitOut(Outgoing, frozen=True):
    """What of each bill goes to an account."""

    payout_account_id: PayoutAccountId
    percentage: RateText | None
    amount: Money | None


class PlanSplitsOut(Outgoing, frozen=True):
    """The splits of a payout plan; what they leave goes to the payee."""

    plan_id: PlanId
    currency: str
    splits: list[SplitOut]

    @classmethod
    def of(cls, found: PlanSplits) -> Self:
        """The wire form."""
        return cls(
            plan_id=found.id,
            currency=found.currency,
            splits=[
                SplitOut(
                    one.payout_account_id,
                    None if one.percentage is None else format_decimal(one.percentage),
                    money_or_null(one.amount),
                )
                for one in found.splits
            ],
        )


class PlanSplitsEnvelope(Outgoing, frozen=True):
    """The splits of one plan."""

    payout_splits: PlanSplitsOut


SPLITS = Changes("payout_splits", PlanSplits, lambda _tx, found: PlanSplitsOut.of(found))
