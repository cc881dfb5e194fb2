"""The SQL of what wallets paid: realtime charges, invoices, and those that wait for a credit."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from msgspec import Struct

from monigo import wallets
from monigo.core.ids import CreditGrantId, CustomerId, InvoiceId, MetricId, SubscriptionId
from monigo.infra import json
from monigo.infra.db import Transaction, joined
from monigo.invoicing.documents.payment_rules import (
    MetricAmount,
    charging_amounts,
    due_by_metric,
    shares_of_amounts,
    sum_of,
)
from monigo.invoicing.types import Line, Parts
from monigo.wallets import PaidPart

SELECT_CHARGES = """
    SELECT charge.subscription_id, charge.period_start, charge.charged,
        charge.parts::text AS parts
    FROM unnest($3::uuid[], $4::timestamptz[]) AS asked (subscription_id, period_start)
    JOIN realtime_charges AS charge ON charge.org_id = $1 AND charge.is_test = $2
        AND charge.subscription_id = asked.subscription_id
        AND charge.period_start = asked.period_start
"""

SET_CHARGES = """
    INSERT INTO realtime_charges (
        org_id, is_test, subscription_id, period_start, charged, parts, updated_at
    )
    SELECT $1, $2, charge.subscription_id, charge.period_start, charge.charged, charge.parts, $7
    FROM unnest(
        $3::uuid[], $4::timestamptz[], string_to_array($5, ',')::numeric[], $6::jsonb[]
    ) AS charge (subscription_id, period_start, charged, parts)
    ON CONFLICT (org_id, is_test, subscription_id, period_start) DO UPDATE
        SET charged = excluded.charged, parts = excluded.parts, updated_at = excluded.updated_at
"""

SELECT_PARTS = """
    SELECT wallet_parts::text FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# What a cancel left behind while the wallet was short.
SELECT_WAITING = """
    SELECT id, subscription_id, customer_id, currency, period_end FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND status = 'finalized' AND billing_mode <> 'postpaid'
    ORDER BY finalized_at, id
"""

ChargeKey = tuple[SubscriptionId, datetime]


class Charge(Struct, frozen=True):
    """What was taken for a period so far, with its parts as they are stored.

    While money alone has paid, what its lines came to then is kept in place of parts, for most
    wallets have no credits, and nobody asks.
    """

    amount: Decimal
    stored: str

    @classmethod
    def of(cls, parts: Parts) -> Self:
        """What sources paid."""
        return cls(sum_of(parts), encode_parts(parts))

    @classmethod
    def of_money(cls, amount: Decimal, lines: Sequence[Line], total: Decimal) -> Self:
        """What money paid of lines that came to a total."""
        return cls(amount, json.encode({"total": total, "lines": charging_amounts(lines)}))

    @property
    def is_of_money(self) -> bool:
        """Whether money alone has paid, for lines that are kept."""
        return self.stored.startswith("{")

    def parts(self, currency: str) -> Parts:
        """What each source paid for each metric."""
        if not self.is_of_money:
            return decode_parts(self.stored)
        kept = json.decode(self.stored)
        amounts: list[MetricAmount] = [
            (None if metric_id is None else MetricId(UUID(metric_id)), Decimal(amount))
            for metric_id, amount in kept["lines"]
        ]
        shares = shares_of_amounts(amounts, Decimal(kept["total"]), currency)
        return tuple(wallets.parts_of((), due_by_metric(shares, ()), self.amount))


async def load_charges(tx: Transaction, keys: Sequence[ChargeKey]) -> dict[ChargeKey, Charge]:
    """What was taken for each subscription's period so far; nothing where it is absent."""
    rows = await tx.fetch(SELECT_CHARGES, [key[0] for key in keys], [key[1] for key in keys])
    return {
        (SubscriptionId(row["subscription_id"]), row["period_start"]): Charge(
            row["charged"], row["parts"]
        )
        for row in rows
    }


async def set_charges(tx: Transaction, charges: Mapping[ChargeKey, Charge]) -> None:
    """Store what was taken for periods of locked subscriptions."""
    if charges:
        await tx.execute(
            SET_CHARGES,
            [subscription_id for subscription_id, _ in charges],
            [period_start for _, period_start in charges],
            joined(charge.amount for charge in charges.values()),
            [charge.stored for charge in charges.values()],
            tx.now,
        )


async def load_parts(tx: Transaction, invoice_id: InvoiceId) -> Parts:
    """What a wallet paid of an invoice, by its sources."""
    return decode_parts(await tx.fetchval(SELECT_PARTS, invoice_id))


async def list_waiting(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> list[tuple[InvoiceId, SubscriptionId]]:
    """Final invoices that customers' wallets have not paid yet, oldest first."""
    rows = await tx.fetch(SELECT_WAITING, customer_ids)
    return [(InvoiceId(row["id"]), SubscriptionId(row["subscription_id"])) for row in rows]


async def list_waiting_ends(
    tx: Transaction, customer_ids: Collection[CustomerId]
) -> list[tuple[CustomerId, str, datetime]]:
    """Whose wallets, in which currencies, have not paid a final invoice yet; its period's end."""
    rows = await tx.fetch(SELECT_WAITING, list(customer_ids))
    return [(CustomerId(row["customer_id"]), row["currency"], row["period_end"]) for row in rows]


def encode_parts(parts: Sequence[PaidPart]) -> str:
    """Parts as they are stored."""
    if not parts:
        return "[]"
    return json.encode([[part.grant_id, part.metric_id, f"{part.amount:f}"] for part in parts])


def decode_parts(text: str) -> Parts:
    """Parts as they were stored."""
    if text == "[]":
        return ()
    return tuple(
        PaidPart(
            None if grant_id is None else CreditGrantId(UUID(grant_id)),
            None if metric_id is None else MetricId(UUID(metric_id)),
            Decimal(amount),
        )
        for grant_id, metric_id, amount in json.decode(text)
    )
