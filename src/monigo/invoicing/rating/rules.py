"""Pure rules of rating: what lines a period gets, and what they come to."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import reduce

from msgspec.structs import replace

from monigo.catalog import PlanType
from monigo.core.errors import DomainError, conflict
from monigo.core.money import (
    EXACT,
    MONEY_INTEGER_DIGITS_MAX,
    ROUNDING,
    UNIT_PRICE_PLACES,
)
from monigo.core.periods import Period
from monigo.core.pricing import amount_due
from monigo.core.tax import tax_amount
from monigo.invoicing.rating.grouping import Part, described, split
from monigo.invoicing.types import (
    NOTHING_BILLED,
    Billed,
    BilledGroups,
    Line,
    LineKind,
    PricedUsage,
    Totals,
)
from monigo.tenancy import BillingSettings

_AMOUNT_LIMIT = Decimal(10) ** MONEY_INTEGER_DIGITS_MAX
_QUANTITY_LIMIT = Decimal(10) ** 26
_UNIT_PRICE_STEP = Decimal(1).scaleb(-UNIT_PRICE_PLACES)


def usage_lines(period: Period, usages: Sequence[PricedUsage], billed: BilledGroups) -> list[Line]:
    """One line per price and group value, by the rule that prevents every double charge.

    Amount due = price(usage so far) - Σ amounts of that price and period on live invoices.
    """
    return [
        line
        for usage in usages
        for line in _delta_lines(period, usage, billed.get(usage.price.price_id, {}))
    ]


def adjustment_lines(
    period: Period, usages: Sequence[PricedUsage], billed: BilledGroups
) -> list[Line]:
    """As `usage_lines`, but for a period closed before: only what differs by now."""
    suffix = f"adjustment for {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}"
    return [
        replace(line, description=f"{line.description}, {suffix}")
        for line in usage_lines(period, usages, billed)
        if line.quantity or line.amount
    ]


def fee_lines(period: Period, fee: Decimal, billed: BilledGroups) -> list[Line]:
    """What is due of a plan's fee for a period, by the same rule; none where nothing differs."""
    before = billed.get(None, {}).get("", NOTHING_BILLED)
    amount = EXACT.subtract(fee, before.amount)
    if not amount:
        return []
    quantity = Decimal(1).copy_sign(amount)
    return [
        Line(
            kind=LineKind.FEE,
            price_id=None,
            metric_id=None,
            period=period,
            description=f"Base fee for {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}",
            quantity=quantity,
            unit_price=abs(amount),
            amount=amount,
            cumulative_quantity=Decimal(1 if fee else 0),
            cumulative_amount=fee,
            price_revision=None,
        )
    ]


def _delta_lines(period: Period, priced: PricedUsage, billed: Mapping[str, Billed]) -> list[Line]:
    """A price's lines: what each value has come to, less what was billed under it."""
    usage, charge = priced.usage, priced.price.charge
    quantities = usage.groups or {"": usage.quantity}
    _check_quantities(priced, quantities)
    amount = Decimal(0)
    if priced.is_due:
        amount = amount_due(
            charge,
            usage.quantity,
            event_count=usage.event_count,
            with_minimum=priced.with_minimum,
        )
    parts = split(charge.model, amount, quantities, billed=list(billed))
    if billed:
        # A value without a line now (another `group_by`, or `other`) credits what was billed for
        # it.
        listed = {part.group_value for part in parts}
        parts += [Part(value, Decimal(0), Decimal(0)) for value in sorted(billed.keys() - listed)]
    _check_amounts(priced, (amount, *[part.amount for part in parts]))
    lines = [_delta_line(period, priced, part, billed) for part in parts]
    if billed or usage.groups:
        # A difference can be twice as large as what it is the difference of, and `other` larger
        # than each of the values in it.
        _check_quantities(priced, {line.group_value: line.quantity for line in lines})
        _check_amounts(priced, [line.amount for line in lines])
    # Without any difference one line stays, so that the price is seen.
    return [line for line in lines if line.quantity or line.amount] or lines[:1]


def _delta_line(
    period: Period, priced: PricedUsage, part: Part, billed: Mapping[str, Billed]
) -> Line:
    before = billed.get(part.group_value, NOTHING_BILLED)
    quantity = EXACT.subtract(part.quantity, before.quantity)
    amount = EXACT.subtract(part.amount, before.amount)
    return Line(
        kind=LineKind.USAGE,
        price_id=priced.price.price_id,
        metric_id=priced.price.metric.id,
        period=period,
        description=described(priced.description, part.group_value),
        quantity=quantity,
        unit_price=_unit_price(amount, quantity),
        amount=amount,
        cumulative_quantity=part.quantity,
        cumulative_amount=part.amount,
        price_revision=priced.price.revision,
        group_value=part.group_value,
        event_count=priced.usage.event_count,
        first_event_at=priced.usage.first_event_at,
        last_event_at=priced.usage.last_event_at,
        whole_quantity=priced.usage.quantity,
        uncounted_events=priced.usage.uncounted_events,
    )


def _check_quantities(usage: PricedUsage, quantities: Mapping[str, Decimal]) -> None:
    for quantity in (usage.usage.quantity, *quantities.values()):
        if abs(quantity) >= _QUANTITY_LIMIT:
            raise _overflow(usage.description)


def _check_amounts(usage: PricedUsage, amounts: Iterable[Decimal]) -> None:
    for amount in amounts:
        check_amount(amount, usage.description)


def check_amount(amount: Decimal, what: str) -> None:
    """Raise conflict, naming what it is, for an amount that is more than a line can hold."""
    if abs(amount) >= _AMOUNT_LIMIT:
        raise _overflow(what)


def _unit_price(amount: Decimal, quantity: Decimal) -> Decimal:
    """Amount ÷ quantity, to show; 0 where there is no quantity, or no number small enough."""
    if not quantity:
        return Decimal(0)
    blended = ROUNDING.divide(amount, quantity).quantize(_UNIT_PRICE_STEP, context=ROUNDING)
    return blended if abs(blended) < _AMOUNT_LIMIT else Decimal(0)


def with_credit(
    lines: Sequence[Line], *, period: Period, due: Decimal, available: Decimal
) -> Sequence[Line]:
    """The lines, whose subtotal is `due`, with a credit line where one is due; else as they are.

    A negative subtotal is carried forward, which makes it 0. A positive one opens with what
    earlier invoices carried (`available`), at most its own size.
    """
    if due < 0:
        exact = reduce(EXACT.subtract, (line.amount for line in lines), Decimal(0))
        return [*lines, unpriced_line(LineKind.CREDIT, period, "credit carried forward", exact)]
    if due > 0 and available > 0:
        brought = -min(available, due)
        return [unpriced_line(LineKind.CREDIT, period, "credit brought forward", brought), *lines]
    return lines


def unpriced_line(kind: LineKind, period: Period, description: str, amount: Decimal) -> Line:
    """A line that carries an amount from one invoice to another; no price stands behind it."""
    return Line(
        kind=kind,
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


def totals(
    subtotal: Decimal, *, currency: str, plan_type: PlanType, settings: BillingSettings
) -> Totals:
    """A subtotal, the taxes that the organisation has set up, and what is to be paid.

    VAT is added to an invoice, withholding tax is taken off a bill; each is rounded to the
    currency's minor unit.

    Raises:
        DomainError: conflict, when the sum is more than an invoice can hold.
    """
    is_invoice = plan_type is PlanType.COLLECTION
    has_vat = settings.vat_enabled and is_invoice
    has_wht = settings.wht_enabled and not is_invoice
    vat_amount = tax_amount(subtotal, settings.vat_rate, currency) if has_vat else Decimal(0)
    wht_amount = tax_amount(subtotal, settings.wht_rate, currency) if has_wht else Decimal(0)
    total = EXACT.subtract(EXACT.add(subtotal, vat_amount), wht_amount)
    check_amount(subtotal, "the subtotal")
    check_amount(total, "the total")
    return Totals(
        subtotal=subtotal,
        vat_enabled=has_vat,
        vat_rate=settings.vat_rate if is_invoice else Decimal(0),
        vat_amount=vat_amount,
        wht_rate=settings.wht_rate if has_wht else Decimal(0),
        wht_amount=wht_amount,
        total=total,
    )


def _overflow(what: str) -> DomainError:
    return conflict("amount_overflow", f"{what} exceeds what an invoice can hold")
