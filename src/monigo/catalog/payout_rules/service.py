"""Use cases of payout rules, for the plans that they are on."""

from collections.abc import Mapping, Sequence

from monigo.catalog import metrics
from monigo.catalog.metrics import Metric
from monigo.catalog.payout_rules.rules import (
    LIVING_RULES_MAX,
    behind_prices,
    check_rules,
    is_kept,
    metric_of,
    terms_on,
)
from monigo.catalog.payout_rules.types import PayoutRule, RuleDraft
from monigo.catalog.prices import Price, PriceChanges, PriceDraft, price_changes
from monigo.core.errors import conflict
from monigo.core.ids import MetricId
from monigo.infra.db import Transaction


async def rule_changes(
    tx: Transaction, present: Sequence[PayoutRule], wanted: Sequence[RuleDraft], currency: str
) -> PriceChanges:
    """What turns a plan's present rules into the asked-for list; new metrics are made for it.

    Raises:
        DomainError: invalid, naming the field, an expression's column too; conflict, when the
            organisation has too many rules.
    """
    check_rules(wanted, currency)
    drafts: list[PriceDraft] = []
    for draft in wanted:
        kept = is_kept(draft, present)
        if kept is None:
            metric_id = (await metrics.create_rule_metric(tx, metric_of(draft.definition))).id
        else:
            metric_id = kept.metric.id
        drafts.append(PriceDraft(draft.id, terms_on(metric_id)))
    if await metrics.count_rules(tx) > LIVING_RULES_MAX:
        message = f"an organisation can have {LIVING_RULES_MAX} payout rules that still apply"
        raise conflict("too_many_payout_rules", message)
    prices = [rule.price for rule in present]
    return behind_prices(price_changes(prices, drafts, path="payout_rules"))


async def rules_among(tx: Transaction, prices: Sequence[Price]) -> tuple[PayoutRule, ...]:
    """The rules behind those prices that are on rules' metrics."""
    known = await metrics.get_metrics(tx, {price.terms.metric_id for price in prices})
    return rules_of(prices, known)


def rules_of(prices: Sequence[Price], known: Mapping[MetricId, Metric]) -> tuple[PayoutRule, ...]:
    """As `rules_among`, where the prices' metrics are known."""
    return tuple(
        PayoutRule(price, known[price.terms.metric_id])
        for price in prices
        if known[price.terms.metric_id].definition.is_rule
    )
