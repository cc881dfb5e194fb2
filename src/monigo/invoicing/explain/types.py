"""Explanations: how each amount of an invoice came about."""

from decimal import Decimal

from msgspec import Struct

from monigo.catalog import Metric
from monigo.core.ids import (
    InvoiceId,
)
from monigo.core.periods import Period
from monigo.core.pricing import Step
from monigo.invoicing.types import AgreedPrice, Invoice, StoredLine


class BilledBefore(Struct, frozen=True):
    """What an earlier invoice billed for the same price (or fee), period and group value."""

    invoice_id: InvoiceId
    number: str
    quantity: Decimal
    amount: Decimal


class RoundedBefore(Struct, frozen=True):
    """Earlier invoices of a subscription: their subtotals, and what those left of their lines."""

    invoices: int
    subtotals: Decimal
    rounding: Decimal


class ExplainedLine(Struct, frozen=True):
    """A line and how its amount came about; the last step's total is the amount.

    `metric` and `price` are as they held for the period; what other invoices left has neither, and
    no windows.
    """

    stored: StoredLine
    is_adjustment: bool
    windows: tuple[Period, ...]
    pauses: tuple[Period, ...]
    plan_revision: int | None
    price: AgreedPrice | None
    metric: Metric | None
    billed_before: tuple[BilledBefore, ...]
    steps: tuple[Step, ...]


class Explanation(Struct, frozen=True):
    """An invoice and how each of its amounts came about; the last step's total is its total."""

    invoice: Invoice
    lines: tuple[ExplainedLine, ...]
    steps: tuple[Step, ...]
