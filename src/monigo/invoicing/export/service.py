"""Invoices, bills and revenue as CSV."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal

import asyncpg

from monigo import catalog, customers, tenancy
from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, InvoiceId
from monigo.core.money import format_decimal, format_money
from monigo.core.periods import calendar_month
from monigo.core.times import format_instant
from monigo.infra.csv_text import csv_lines, plain_text
from monigo.infra.db import Database, Tenant
from monigo.invoicing.export import store
from monigo.invoicing.export.store import InvoiceWalk, Revenue
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.types import InvoiceFilter, InvoiceStatus

# Read in one short transaction, so that a slow reader holds none open.
INVOICES_AT_ONCE = 1_000

INVOICE_TAX = ("vat_rate", "vat_amount")
BILL_TAX = ("wht_rate", "wht_amount")
COLUMNS_BEFORE_TAX = (
    "id",
    "number",
    "customer_id",
    "customer_name",
    "subscription_id",
    "kind",
    "status",
    "currency",
    "subtotal",
)
# What bills don't have: nobody pays them from a wallet.
INVOICE_PAYMENT = ("amount_paid", "amount_due")
COLUMNS_AFTER_TAX = (
    "total",
    "period_start",
    "period_end",
    "created_at",
    "finalized_at",
    "due_date",
    "paid_at",
    "voided_at",
    "paid_reference",
)
REVENUE_COLUMNS = (
    "month",
    "currency",
    "plan_id",
    "plan_name",
    "invoices",
    "subtotal",
    "vat_amount",
    "total",
    "paid",
    "outstanding",
    "uncollectible",
)


async def export_invoices(
    database: Database,
    tenant: Tenant,
    wanted: InvoiceFilter,
    status_names: Mapping[InvoiceStatus, str],
) -> AsyncIterator[str]:
    """Invoices that match, or bills, newest first, many lines at a time, in constant memory.

    `status_names` are those that the reader knows; only the head for an unknown customer.
    """
    is_invoices = wanted.plan_type is PlanType.COLLECTION
    tax, payment = (INVOICE_TAX, INVOICE_PAYMENT) if is_invoices else (BILL_TAX, ())
    yield csv_lines([COLUMNS_BEFORE_TAX + tax + COLUMNS_AFTER_TAX + payment])
    customer_id = None
    if wanted.customer is not None:
        async with database.transaction(tenant) as tx:
            customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return
    walk = InvoiceWalk(wanted.plan_type, customer_id, wanted.status)
    after: tuple[datetime, InvoiceId] | None = None
    while True:
        async with database.transaction(tenant) as tx:
            rows = await store.load_page(tx, walk, after, INVOICES_AT_ONCE)
            names = await customers.names(tx, {row["customer_id"] for row in rows})
        yield csv_lines(_invoice_row(row, names, status_names, wanted.plan_type) for row in rows)
        if len(rows) < INVOICES_AT_ONCE:
            return
        after = rows[-1]["created_at"], rows[-1]["id"]


async def export_revenue(
    database: Database, tenant: Tenant, since: datetime | None
) -> AsyncIterator[str]:
    """What was invoiced and paid, by month, currency and plan, of whole months.

    A month is the organisation's; the first is the one that `since` lies in.
    """
    yield csv_lines([REVENUE_COLUMNS])
    async with database.transaction(tenant) as tx:
        timezone = (await tenancy.get_organization(tx)).billing.timezone
        start = None if since is None else calendar_month(since, timezone).start
        revenue = await store.sum_revenue(tx, timezone, start)
        plans = await catalog.get_plans(tx, {item.plan_id for item in revenue})
    yield csv_lines(_revenue_row(item, plans[item.plan_id].details.name) for item in revenue)


def _invoice_row(
    row: asyncpg.Record,
    names: Mapping[CustomerId, str],
    status_names: Mapping[InvoiceStatus, str],
    plan_type: PlanType,
) -> tuple[str, ...]:
    rate, amount = INVOICE_TAX if plan_type is PlanType.COLLECTION else BILL_TAX
    status = InvoiceStatus(row["status"])
    return (
        str(row["id"]),
        invoice_number(row["number"], plan_type),
        str(row["customer_id"]),
        plain_text(names[row["customer_id"]]),
        str(row["subscription_id"]),
        row["kind"],
        status_names.get(status, status.value),
        row["currency"],
        format_money(row["subtotal"]),
        format_decimal(row[rate]),
        format_money(row[amount]),
        format_money(row["total"]),
        format_instant(row["period_start"]),
        format_instant(row["period_end"]),
        format_instant(row["created_at"]),
        _instant(row["finalized_at"]),
        _instant(row["due_date"]),
        _instant(row["paid_at"]),
        _instant(row["voided_at"]),
        plain_text(row["paid_reference"]),
        *(_payment(row, status) if plan_type is PlanType.COLLECTION else ()),
    )


def _payment(row: asyncpg.Record, status: InvoiceStatus) -> tuple[str, str]:
    """What was paid of an invoice, and what is due, as `Invoice` computes it."""
    total, paid = row["total"], row["amount_paid"]
    due = Decimal(0) if status is InvoiceStatus.VOID else total - paid
    return format_money(paid), format_money(due)


def _revenue_row(item: Revenue, plan_name: str) -> tuple[str, ...]:
    return (
        f"{item.month:%Y-%m}",
        item.currency,
        str(item.plan_id),
        plain_text(plan_name),
        str(item.invoices),
        format_money(item.subtotal),
        format_money(item.vat_amount),
        format_money(item.total),
        format_money(item.paid),
        format_money(item.outstanding),
        format_money(item.uncollectible),
    )


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else format_instant(instant)
