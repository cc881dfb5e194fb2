"""Explanations on the wire."""

from typing import Annotated, Any, Self
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Meta
from msgspec.structs import asdict

from monigo import invoicing
from monigo.api.kernel.wire.outgoing import (
    Instant,
    Money,
    Outgoing,
    Quantity,
    UnitPrice,
    money_or_null,
)
from monigo.api.merchant.invoices.schemas import LineItemOut
from monigo.api.merchant.metrics.schemas import FilterOut
from monigo.catalog import Metric, PlanType
from monigo.core.ids import CustomerId, InvoiceId, MetricId, PriceId, SubscriptionId
from monigo.core.money import format_decimal, format_money, format_unit_price
from monigo.core.periods import Period
from monigo.core.pricing import PricingModel, Step, price_model_json, pricing_model
from monigo.core.times import format_instant
from monigo.invoicing import (
    AgreedPrice,
    BilledBefore,
    ExplainedLine,
    Explanation,
    Invoice,
    InvoiceStatus,
)


class StepOut(Outgoing, frozen=True):
    """A step of the computation: what it adds or takes, and what all steps so far come to."""

    step: Annotated[str, Meta(examples=["tier 1 (up to 1000): 1000 x 5"])]
    amount: Annotated[UnitPrice, Meta(description="exact, not rounded")]
    total: Annotated[UnitPrice, Meta(description="after this step; the last one's is the amount")]

    @classmethod
    def of(cls, step: Step) -> Self:
        """The wire form."""
        return cls(
            step=step.text,
            amount=format_unit_price(step.amount),
            total=format_unit_price(step.total),
        )


class WindowOut(Outgoing, frozen=True):
    """A stretch of the period, and for one that is billed, where its events are listed."""

    start: Instant
    end: Instant
    events_url: Annotated[str, Meta(description="empty for a pause")]


class MetricThenOut(Outgoing, frozen=True):
    """How the metric counted events, under the version that the line was measured by."""

    id: MetricId
    version: int
    name: str
    event_name: str
    aggregation: str
    aggregation_property: str
    filters: list[FilterOut]
    group_by: str
    value_expression: str
    customer_property: str

    @classmethod
    def of(cls, metric: Metric) -> Self:
        """The wire form."""
        definition = metric.definition
        return cls(
            id=metric.id,
            version=metric.version,
            name=definition.name,
            event_name=definition.event_name,
            aggregation=definition.aggregation.value,
            aggregation_property=definition.aggregation_property,
            filters=[FilterOut.of(item) for item in definition.filters],
            group_by=definition.group_by,
            value_expression=definition.value_expression,
            customer_property=definition.customer_property,
        )


class PriceThenOut(Outgoing, frozen=True):
    """What the metric cost: a price under one of its revisions, its model perhaps overridden."""

    id: PriceId
    revision: int
    override_id: UUID | None
    model: PricingModel
    unit_price: UnitPrice | None
    tiers: Any
    flat_fee: Money
    minimum_amount: Money | None
    maximum_amount: Money | None

    @classmethod
    def of(cls, price: AgreedPrice) -> Self:
        """The wire form."""
        charge = price.charge
        unit_price, tiers = price_model_json(charge.model)
        return cls(
            id=price.price_id,
            revision=price.revision,
            override_id=price.override_id,
            model=pricing_model(charge.model),
            unit_price=unit_price,
            tiers=tiers,
            flat_fee=format_money(charge.flat_fee),
            minimum_amount=money_or_null(charge.minimum_amount),
            maximum_amount=money_or_null(charge.maximum_amount),
        )


class BilledBeforeOut(Outgoing, frozen=True):
    """What an earlier invoice billed for the same price (or fee), period and group value."""

    invoice_id: InvoiceId
    number: str
    quantity: Quantity
    amount: Money

    @classmethod
    def of(cls, billed: BilledBefore) -> Self:
        """The wire form."""
        return cls(
            invoice_id=billed.invoice_id,
            number=billed.number,
            quantity=format_decimal(billed.quantity),
            amount=format_money(billed.amount),
        )


class ExplainedLineOut(LineItemOut, frozen=True):
    """A line with all that it was computed from.

    `price` is null for what is no usage, and for a price that the plan has no more.
    """

    is_adjustment: Annotated[bool, Meta(description="of a period that had been closed before")]
    events_url: Annotated[
        str, Meta(description="the events of its whole period; empty for no usage")
    ]
    windows: Annotated[list[WindowOut], Meta(description="what is billed of the period")]
    pauses: Annotated[list[WindowOut], Meta(description="what is taken out of it")]
    event_count: Annotated[int, Meta(description="of the price's whole usage, as the next four")]
    first_event_at: Instant | None
    last_event_at: Instant | None
    whole_quantity: Annotated[Quantity, Meta(description="what the price was computed from")]
    cumulative_quantity: Annotated[
        Quantity, Meta(description="of the period so far, of this group value")
    ]
    cumulative_amount: Money
    plan_revision: int | None
    metric: MetricThenOut | None
    price: PriceThenOut | None
    billed_before: list[BilledBeforeOut]
    steps: list[StepOut]

    @classmethod
    def explained(cls, invoice: Invoice, explained: ExplainedLine) -> Self:
        """The wire form."""
        line, metric = explained.stored.line, explained.metric
        return cls(
            **asdict(LineItemOut.stored(explained.stored)),
            is_adjustment=explained.is_adjustment,
            events_url=_events_url(invoice, metric, line.period),
            windows=[
                WindowOut(
                    start=window.start,
                    end=window.end,
                    events_url=_events_url(invoice, metric, window),
                )
                for window in explained.windows
            ],
            pauses=[
                WindowOut(start=pause.start, end=pause.end, events_url="")
                for pause in explained.pauses
            ],
            event_count=line.event_count,
            first_event_at=line.first_event_at,
            last_event_at=line.last_event_at,
            whole_quantity=format_decimal(line.whole_quantity),
            cumulative_quantity=format_decimal(line.cumulative_quantity),
            cumulative_amount=format_money(line.cumulative_amount),
            plan_revision=explained.plan_revision,
            metric=None if metric is None else MetricThenOut.of(metric),
            price=None if explained.price is None else PriceThenOut.of(explained.price),
            billed_before=[BilledBeforeOut.of(item) for item in explained.billed_before],
            steps=[StepOut.of(step) for step in explained.steps],
        )


class ExplanationOut(Outgoing, frozen=True):
    """An invoice's or bill's amounts, and how each came about."""

    id: InvoiceId
    number: str
    customer_id: CustomerId
    subscription_id: SubscriptionId
    plan_type: PlanType
    status: InvoiceStatus
    currency: str
    period_start: Instant
    period_end: Instant
    subtotal: Money
    vat_amount: Money
    wht_amount: Money
    total: Money
    amount_paid: Money
    amount_due: Money
    lines: list[ExplainedLineOut]
    steps: Annotated[list[StepOut], Meta(description="from the lines to the total")]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The wire form."""
        invoice, totals = explanation.invoice, explanation.invoice.totals
        return cls(
            id=invoice.id,
            number=invoicing.invoice_number(invoice.number, invoice.plan_type),
            customer_id=invoice.customer_id,
            subscription_id=invoice.subscription_id,
            plan_type=invoice.plan_type,
            status=invoice.status,
            currency=invoice.currency,
            period_start=invoice.period.start,
            period_end=invoice.period.end,
            subtotal=format_money(totals.subtotal),
            vat_amount=format_money(totals.vat_amount),
            wht_amount=format_money(totals.wht_amount),
            total=format_money(totals.total),
            amount_paid=format_money(invoice.amount_paid),
            amount_due=format_money(invoice.amount_due),
            lines=[ExplainedLineOut.explained(invoice, line) for line in explanation.lines],
            steps=[StepOut.of(step) for step in explanation.steps],
        )


class ExplanationEnvelope(Outgoing, frozen=True):
    """One explanation."""

    explanation: ExplanationOut


def _events_url(invoice: Invoice, metric: Metric | None, window: Period) -> str:
    """Where the event explorer lists what was counted, before the metric's filters.

    Events that pay somebody are other customers': all of the name are listed.
    """
    if metric is None:
        return ""
    whose = {} if metric.definition.is_rule else {"customer_id": str(invoice.customer_id)}
    query = {
        **whose,
        "event_name": metric.definition.event_name,
        "from": format_instant(window.start),
        "to": format_instant(window.end),
    }
    return f"/v1/events?{urlencode(query)}"
