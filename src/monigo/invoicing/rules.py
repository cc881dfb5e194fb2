"""Pure rules of invoices: the delta rule, credits, totals, and which state follows which."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext

from monigo.core.errors import DomainError, conflict
from monigo.core.money import (
    EXACT,
    MONEY_INTEGER_DIGITS_MAX,
    ROUNDING,
    UNIT_PRICE_PLACES,
)
from monigo.core.periods import Period
from monigo.core.pricing import amount_due
from monigo.core.tax import subtotal as sum_of
from monigo.core.tax import tax_amount
from monigo.invoicing.grouping import Part, described, split
from monigo.invoicing.types import (
    NOTHING_BILLED,
    Billed,
    BilledGroups,
    Invoice,
    InvoiceStatus,
    Line,
    LineKind,
    PricedUsage,
    Totals,
)

# Statuses whose amounts count as charged.
LIVE = (
    InvoiceStatus.FINALIZED,
    InvoiceStatus.PAYMENT_FAILED,
    InvoiceStatus.PAID,
    InvoiceStatus.UNCOLLECTIBLE,
)
UNPAID = (InvoiceStatus.FINALIZED, InvoiceStatus.PAYMENT_FAILED, InvoiceStatus.UNCOLLECTIBLE)
VOIDABLE = (InvoiceStatus.DRAFT, *UNPAID)

_AMOUNT_LIMIT = Decimal(10) ** MONEY_INTEGER_DIGITS_MAX
_QUANTITY_LIMIT = Decimal(10) ** 26
_UNIT_PRICE_STEP = Decimal(1).scaleb(-UNIT_PRICE_PLACES)


def invoice_number(number: int | None) -> str:
    """How a number is written, such as INV-000123; empty while there is none."""
    return "" if number is None else f"INV-{number:06d}"


def usage_lines(period: Period, usages: Sequence[PricedUsage], billed: BilledGroups) -> list[Line]:
    """One line per price and group value, by the rule that prevents every double charge.

    Amount due = price(usage so far) - Σ amounts of that price and period on live invoices.
    """
    return [
        line
        for usage in usages
        for line in _delta_lines(period, usage, billed.get(usage.price_id, {}))
    ]


def _delta_lines(period: Period, usage: PricedUsage, billed: Mapping[str, Billed]) -> list[Line]:
    """A price's lines: what each value has come to, less what was billed under it."""
    quantities = usage.groups or {"": usage.quantity}
    _check_quantities(usage, quantities)
    amount = amount_due(usage.charge, usage.quantity, event_count=usage.event_count)
    parts = split(usage.charge.model, amount, quantities, billed=list(billed))
    # A value that is told no more (another `group_by`, or `other`) gives back what it was billed.
    told = {part.group_value for part in parts}
    parts += [Part(value, Decimal(0), Decimal(0)) for value in sorted(billed.keys() - told)]
    _check_amounts(usage, (amount, *(part.amount for part in parts)))
    lines = [_delta_line(period, usage, part, billed) for part in parts]
    # Without any difference one line stays, so that the price is seen.
    return [line for line in lines if line.quantity or line.amount] or lines[:1]


def _delta_line(
    period: Period, usage: PricedUsage, part: Part, billed: Mapping[str, Billed]
) -> Line:
    before = billed.get(part.group_value, NOTHING_BILLED)
    with localcontext(EXACT):
        quantity = part.quantity - before.quantity
        amount = part.amount - before.amount
    return Line(
        kind=LineKind.USAGE,
        price_id=usage.price_id,
        metric_id=usage.metric_id,
        period=period,
        description=described(usage.description, part.group_value),
        quantity=quantity,
        unit_price=_unit_price(amount, quantity),
        amount=amount,
        cumulative_quantity=part.quantity,
        cumulative_amount=part.amount,
        price_revision=usage.revision,
        group_value=part.group_value,
    )


def _check_quantities(usage: PricedUsage, quantities: Mapping[str, Decimal]) -> None:
    if any(abs(known) >= _QUANTITY_LIMIT for known in (usage.quantity, *quantities.values())):
        raise _overflow(usage.description)


def _check_amounts(usage: PricedUsage, amounts: Iterable[Decimal]) -> None:
    if any(abs(amount) >= _AMOUNT_LIMIT for amount in amounts):
        raise _overflow(usage.description)


def _unit_price(amount: Decimal, quantity: Decimal) -> Decimal:
    """Amount ÷ quantity, to show; 0 where there is no quantity, or no number small enough."""
    if not quantity:
        return Decimal(0)
    blended = ROUNDING.divide(amount, quantity).quantize(_UNIT_PRICE_STEP, context=ROUNDING)
    return blended if abs(blended) < _AMOUNT_LIMIT else Decimal(0)


def with_credit(
    lines: Sequence[Line], *, period: Period, currency: str, available: Decimal
) -> list[Line]:
    """The lines with a credit line where one is due.

    A negative subtotal is carried forward, which makes it 0. A positive one opens with what
    earlier invoices carried (`available`), at most its own size.
    """
    due = sum_of((line.amount for line in lines), currency)
    if due < 0:
        with localcontext(EXACT):
            exact = -sum((line.amount for line in lines), Decimal(0))
        return [*lines, _credit_line(period, "credit carried forward", exact)]
    if due > 0 and available > 0:
        return [_credit_line(period, "credit brought forward", -min(available, due)), *lines]
    return list(lines)


def _credit_line(period: Period, description: str, amount: Decimal) -> Line:
    return Line(
        kind=LineKind.CREDIT,
        price_id=None,
        metric_id=None,
        period=period,
        description=description,
        quantity=Decimal(1),
        unit_price=amount,
        amount=amount,
        cumulative_quantity=Decimal(1),
        cumulative_amount=amount,
        price_revision=None,
    )


def totals(lines: Sequence[Line], *, currency: str, vat_enabled: bool, vat_rate: Decimal) -> Totals:
    """Subtotal, VAT on it, and their sum, each rounded to the currency's minor unit.

    Raises:
        DomainError: conflict, when the sum is more than an invoice can hold.
    """
    subtotal = sum_of((line.amount for line in lines), currency)
    vat_amount = tax_amount(subtotal, vat_rate, currency) if vat_enabled else Decimal(0)
    total = EXACT.add(subtotal, vat_amount)
    if abs(total) >= _AMOUNT_LIMIT:
        raise _overflow("the total")
    return Totals(subtotal, vat_enabled, vat_rate, vat_amount, total)


def check_can_finalize(invoice: Invoice) -> None:
    """Raise conflict unless the invoice is a draft."""
    if invoice.status is not InvoiceStatus.DRAFT:
        raise _wrong_state(invoice, "finalized")


def check_can_void(invoice: Invoice) -> None:
    """Raise conflict for an invoice that is paid or void."""
    if invoice.status not in VOIDABLE:
        raise _wrong_state(invoice, "voided")


def check_can_delete(invoice: Invoice) -> None:
    """Raise conflict unless the invoice is a draft: what was numbered stays on record."""
    if invoice.status is not InvoiceStatus.DRAFT:
        raise _wrong_state(invoice, "deleted; void it instead")


def _wrong_state(invoice: Invoice, action: str) -> DomainError:
    return conflict("invoice_state", f"an invoice that is {invoice.status.value} can't be {action}")


def _overflow(what: str) -> DomainError:
    return conflict("amount_overflow", f"{what} exceeds what an invoice can hold")
