"""How an invoice's amounts come about, step by step. Pure."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

from monigo.catalog import Metric, PlanType
from monigo.core.money import EXACT, format_decimal, minor_unit_places, round_to_minor_unit
from monigo.core.pricing import Step, Steps, pricing_steps
from monigo.invoicing.explain.types import BilledBefore, RoundedBefore
from monigo.invoicing.types import AgreedPrice, Invoice, InvoiceKind, Line, LineKind, Terms

_ZERO = Decimal(0)
_ONE_PERCENT = Decimal("0.01")


def is_adjustment(invoice: Invoice, line: Line) -> bool:
    """Whether a line bills what differs by now in a period that was closed before."""
    if line.kind in {LineKind.CREDIT, LineKind.ROUNDING}:
        return False
    return line.period.start < invoice.period.start or invoice.kind is InvoiceKind.SUPPLEMENTARY


def usage_steps(
    line: Line,
    terms: Terms,
    price: AgreedPrice | None,
    metric: Metric,
    before: Sequence[BilledBefore],
) -> tuple[Step, ...]:
    """From a price's whole usage in a period to what the line bills of it."""
    made = Steps()
    if price is None:
        made.add("the price is no longer on the plan: it is worth nothing", _ZERO)
    elif not terms.windows:
        made.add("the whole period was paused: nothing is due", _ZERO)
    else:
        made.extend(pricing_steps(price.charge, line.whole_quantity, line.event_count))
    if metric.definition.group_by or line.group_value:
        made.come_to(_share(line, metric), line.cumulative_amount)
    _take_off(made, line, before)
    return made.done()


def fee_steps(line: Line, terms: Terms, before: Sequence[BilledBefore]) -> tuple[Step, ...]:
    """From a plan's fee for a period to what the line bills of it."""
    made = Steps()
    if terms.windows:
        made.add(f"base fee, plan revision {terms.base_fee_revision}", terms.base_fee.amount)
    else:
        made.add("the whole period was paused: no base fee is due", _ZERO)
    _take_off(made, line, before)
    return made.done()


def credit_steps(line: Line, others: Sequence[Line], *, available: Decimal) -> tuple[Step, ...]:
    """Why a credit is carried forward, or how much of one is brought in."""
    made = Steps()
    with localcontext(EXACT):
        due = sum((other.amount for other in others), _ZERO)
        if line.amount > 0:
            made.add(f"the other lines come to {_number(due)}, which is carried forward", -due)
        else:
            made.add("credit that earlier invoices carried forward", -available)
            made.come_to(f"as much of it as the other lines come to ({_number(due)})", line.amount)
    return made.done()


def rounding_steps(line: Line, before: RoundedBefore) -> tuple[Step, ...]:
    """What earlier invoices of the subscription were rounded by, all together."""
    made = Steps()
    with localcontext(EXACT):
        lines = before.subtotals + before.rounding
    count = f"{before.invoices} earlier invoice{'' if before.invoices == 1 else 's'}"
    made.add(f"the lines of the subscription's {count}, before rounding", lines)
    made.add("what their subtotals billed of it", -before.subtotals)
    _note_change(made, line)
    return made.done()


def total_steps(invoice: Invoice) -> tuple[Step, ...]:
    """From the lines to what is to be paid."""
    totals, made = invoice.totals, Steps()
    rounding = f"rounded half away from zero to {minor_unit_places(invoice.currency)} places"
    with localcontext(EXACT):
        for stored in invoice.lines:
            made.add(stored.line.description, stored.line.amount)
        if totals.subtotal == round_to_minor_unit(made.total, invoice.currency):
            made.come_to(f"subtotal, {rounding}", totals.subtotal)
        else:
            made.come_to(
                f"subtotal: with all that was billed before it is {rounding}", totals.subtotal
            )
        if totals.vat_enabled:
            vat = totals.subtotal * totals.vat_rate * _ONE_PERCENT
            made.add(f"VAT, {_number(totals.vat_rate)} % of the subtotal", vat)
            made.come_to(f"VAT {rounding}", totals.subtotal + totals.vat_amount)
        if invoice.plan_type is PlanType.PAYOUT and totals.wht_rate:
            wht = totals.subtotal * totals.wht_rate * _ONE_PERCENT
            made.add(f"withholding tax, {_number(totals.wht_rate)} % of the subtotal", -wht)
            made.come_to(f"withholding tax {rounding}", totals.subtotal - totals.wht_amount)
    return made.done()


def _share(line: Line, metric: Metric) -> str:
    of = repr(line.group_value) if line.group_value else f"no {metric.definition.group_by}"
    part, whole = _number(line.cumulative_quantity), _number(line.whole_quantity)
    return (
        f"the share of {of}, {part} of {whole}, in proportion, cut to six places;"
        " the largest share takes what is left"
    )


def _take_off(made: Steps, line: Line, before: Sequence[BilledBefore]) -> None:
    for earlier in before:
        quantity = _number(earlier.quantity)
        made.add(f"billed by {earlier.number} for a quantity of {quantity}", -earlier.amount)
    _note_change(made, line)


def _note_change(made: Steps, line: Line) -> None:
    # Only a draft can be behind: what a final invoice was computed from stands still.
    if made.total != line.amount:
        made.come_to("what has changed since this draft was made", line.amount)


def _number(value: Decimal) -> str:
    return format_decimal(value)
