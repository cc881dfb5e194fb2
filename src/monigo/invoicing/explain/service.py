"""The use case of an explanation: an invoice's amounts, and how each came about."""

from uuid import UUID

from monigo import catalog
from monigo.catalog import Metric, PlanType
from monigo.core.ids import MetricId
from monigo.core.periods import subtract
from monigo.infra.db import Transaction
from monigo.invoicing.explain import store
from monigo.invoicing.explain.rules import (
    credit_steps,
    fee_steps,
    is_adjustment,
    rounding_steps,
    total_steps,
    usage_steps,
)
from monigo.invoicing.explain.store import AskedLine
from monigo.invoicing.explain.types import BilledBefore, ExplainedLine, Explanation
from monigo.invoicing.rating import load_invoice_terms
from monigo.invoicing.service import get
from monigo.invoicing.types import Invoice, InvoiceStatus, LineKind, StoredLine, Terms

# What other invoices left; no price stands behind it.
_MOVED = (LineKind.CREDIT, LineKind.ROUNDING)


async def explain(
    tx: Transaction, invoice_id: UUID, *, plan_type: PlanType = PlanType.COLLECTION
) -> Explanation:
    """How an invoice's amounts, or a bill's, came about: by the terms that were frozen with it.

    Raises:
        DomainError: not_found.
    """
    invoice = await get(tx, invoice_id, plan_type=plan_type)
    if invoice.status is InvoiceStatus.DRAFT:
        # The draft must not be refreshed while its terms and usage are read.
        invoice = await get(tx, invoice_id, plan_type=plan_type, for_update=True)
    own, others = await load_invoice_terms(tx, await store.load_terms(tx, invoice.id))
    # A supplementary invoice's own period stands among the others: it adjusts it.
    terms = {invoice.period: own, **dict(others)}
    charged = [known for known in invoice.lines if known.line.kind not in _MOVED]
    before = await store.load_billed_before(
        tx,
        invoice,
        [AskedLine(known.line, is_adjustment(invoice, known.line)) for known in charged],
    )
    known_metrics = await catalog.get_metrics(
        tx, {known.line.metric_id for known in charged if known.line.metric_id is not None}
    )
    earlier = {known.id: items for known, items in zip(charged, before, strict=True)}
    lines: list[ExplainedLine] = []
    for stored in invoice.lines:
        if stored.line.kind in _MOVED:
            lines.append(await _explained_move(tx, invoice, stored))
        else:
            held = terms.get(stored.line.period, own)
            lines.append(_explained(invoice, stored, held, known_metrics, earlier[stored.id]))
    return Explanation(invoice, tuple(lines), total_steps(invoice))


def _explained(
    invoice: Invoice,
    stored: StoredLine,
    terms: Terms,
    metrics: dict[MetricId, Metric],
    before: tuple[BilledBefore, ...],
) -> ExplainedLine:
    line = stored.line
    price = next((known for known in terms.prices if known.price_id == line.price_id), None)
    metric = price.metric if price else metrics[line.metric_id] if line.metric_id else None
    if metric is None:
        steps = fee_steps(line, terms, before)
    else:
        steps = usage_steps(line, terms, price, metric, before)
    return ExplainedLine(
        stored=stored,
        is_adjustment=is_adjustment(invoice, line),
        windows=terms.windows,
        pauses=subtract(line.period, terms.windows),
        plan_revision=terms.base_fee_revision if metric is None else terms.plan_revision,
        price=price,
        metric=metric,
        billed_before=before,
        steps=steps,
    )


async def _explained_move(tx: Transaction, invoice: Invoice, stored: StoredLine) -> ExplainedLine:
    """What one invoice leaves to another: a credit, or what rounding took off or added."""
    if stored.line.kind is LineKind.ROUNDING:
        steps = rounding_steps(stored.line, await store.sum_rounded_before(tx, invoice))
    else:
        others = [known.line for known in invoice.lines if known.id != stored.id]
        available = -await store.sum_credit_before(tx, invoice)
        steps = credit_steps(stored.line, others, available=available)
    return ExplainedLine(
        stored=stored,
        is_adjustment=False,
        windows=(),
        pauses=(),
        plan_revision=None,
        price=None,
        metric=None,
        billed_before=(),
        steps=steps,
    )
