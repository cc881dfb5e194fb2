"""How a payout plan's bills are split among accounts."""

from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import PayoutAccountId, PlanId


class Split(Struct, frozen=True):
    """What of each bill goes to an account: a percentage of its total, or a fixed amount."""

    payout_account_id: PayoutAccountId
    percentage: Decimal | None = None
    amount: Decimal | None = None


class PlanSplits(Struct, frozen=True):
    """The splits of a payout plan; what they leave goes to the payee."""

    id: PlanId
    currency: str
    splits: tuple[Split, ...]
