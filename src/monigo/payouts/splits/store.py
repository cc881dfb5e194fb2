"""The SQL of splits."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from monigo.core.ids import InvoiceId, PayoutAccountId, PlanId
from monigo.infra.db import Transaction, joined
from monigo.payouts.splits.types import Split

SELECT = """
    SELECT payout_account_id, percentage, amount FROM payout_splits
    WHERE org_id = $1 AND is_test = $2 AND plan_id = $3
    ORDER BY position
"""

# By the plan whose terms a bill was made by.
SELECT_OF_BILLS = """
    SELECT bill.id AS bill_id, split.payout_account_id, split.percentage, split.amount
    FROM invoices AS bill
    JOIN payout_splits AS split ON split.org_id = $1 AND split.is_test = $2
        AND split.plan_id = (bill.terms ->> 'plan_id')::uuid
    WHERE bill.org_id = $1 AND bill.is_test = $2 AND bill.id = ANY ($3::uuid[])
    ORDER BY bill.id, split.position
"""

DELETE = "DELETE FROM payout_splits WHERE org_id = $1 AND is_test = $2 AND plan_id = $3"

INSERT = """
    INSERT INTO payout_splits (
        org_id, is_test, plan_id, position, payout_account_id, percentage, amount
    )
    SELECT $1, $2, $3, one.position, one.account_id, nullif(one.percentage, 0),
        nullif(one.amount, 0)
    FROM unnest(
        $4::integer[], $5::uuid[], string_to_array($6, ',')::numeric[],
        string_to_array($7, ',')::numeric[]
    ) AS one (position, account_id, percentage, amount)
    RETURNING position
"""


_NONE = Decimal(0)


async def load(tx: Transaction, plan_id: PlanId) -> tuple[Split, ...]:
    """A plan's splits, in their order."""
    rows = await tx.fetch(SELECT, plan_id)
    return tuple(
        Split(PayoutAccountId(row["payout_account_id"]), row["percentage"], row["amount"])
        for row in rows
    )


async def load_of_bills(
    tx: Transaction, bill_ids: Collection[InvoiceId]
) -> dict[InvoiceId, list[Split]]:
    """The splits of each bill's plan; bills without any are absent."""
    found: dict[InvoiceId, list[Split]] = {}
    for row in await tx.fetch(SELECT_OF_BILLS, list(bill_ids)):
        split = Split(PayoutAccountId(row["payout_account_id"]), row["percentage"], row["amount"])
        found.setdefault(InvoiceId(row["bill_id"]), []).append(split)
    return found


async def replace_all(tx: Transaction, plan_id: PlanId, splits: Sequence[Split]) -> None:
    """Store a locked plan's splits in place of those that it had."""
    await tx.execute(DELETE, plan_id)
    if splits:
        await tx.execute(
            INSERT,
            plan_id,
            list(range(len(splits))),
            [one.payout_account_id for one in splits],
            joined(one.percentage or _NONE for one in splits),
            joined(one.amount or _NONE for one in splits),
        )
