"""Pure rules of payout rules: which are valid, and what an edit does to a plan's."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from monigo.catalog.metrics import MetricDefinition, definition_faults
from monigo.catalog.payout_rules.types import PayoutRule, RuleDefinition, RuleDraft
from monigo.catalog.prices import PRICES_MAX, PriceChanges, PriceTerms
from monigo.core.aggregation import Aggregation
from monigo.core.errors import invalid
from monigo.core.expressions import ExpressionError, parse
from monigo.core.ids import MetricId
from monigo.core.pricing import Charge, FlatUnit

# A plan pays for a handful of things; each event is worked out by each rule on its name.
RULES_MAX = 20
# Of all plans of an organisation, edited ones that still apply included: each is looked at as
# events of its name are folded.
LIVING_RULES_MAX = 200

# Each unit of money that a rule's metric sums up is due as it is.
_AS_IT_IS = Charge(FlatUnit(Decimal(1)))
_MODEL_NAME = "flat_unit"


def check_rules(wanted: Sequence[RuleDraft], currency: str) -> None:
    """Raise invalid, naming each field at fault, unless a plan can have these rules."""
    if len(wanted) > RULES_MAX:
        raise invalid({"payout_rules": f"must be at most {RULES_MAX}"})
    faults: dict[str, str] = {}
    for position, draft in enumerate(wanted):
        path = f"payout_rules[{position}]"
        faults |= {f"{path}.{field}": fault for field, fault in _faults(draft.definition).items()}
        if draft.currency not in {"", currency}:
            faults[f"{path}.currency"] = f"must be the plan's, {currency}"
    if faults:
        raise invalid(faults)


def _faults(definition: RuleDefinition) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not definition.trigger_event:
        faults["trigger_event"] = "is required"
    if not definition.recipient_field:
        faults["recipient_field"] = "is required"
    try:
        parse(definition.amount_expression)
    except ExpressionError as error:
        faults["amount_expression"] = str(error)
    if not faults:
        faults |= definition_faults(metric_of(definition))
    return faults


def metric_of(rule: RuleDefinition) -> MetricDefinition:
    """The metric that a rule is under the hood: the sum of what events are worth to a customer."""
    return MetricDefinition(
        name=f"Payout for {rule.trigger_event}",
        event_name=rule.trigger_event,
        aggregation=Aggregation.SUM,
        aggregation_property="",
        description="",
        filters=rule.filters,
        value_expression=rule.amount_expression,
        customer_property=rule.recipient_field,
    )


def terms_on(metric_id: MetricId) -> PriceTerms:
    """What a rule's metric costs: each unit of money one unit."""
    return PriceTerms(metric_id, _AS_IT_IS, _MODEL_NAME)


def is_kept(draft: RuleDraft, present: Sequence[PayoutRule]) -> PayoutRule | None:
    """The present rule that a draft leaves as it is, if there is one."""
    known = next((rule for rule in present if rule.id == draft.id), None)
    return known if known is not None and known.definition == draft.definition else None


def behind_prices(changes: PriceChanges) -> PriceChanges:
    """Changes of rules' prices, whose positions are behind those of a plan's other prices."""
    return replace(
        changes,
        added=tuple((PRICES_MAX + position, draft) for position, draft in changes.added),
        revised=tuple(
            (PRICES_MAX + position, price, draft) for position, price, draft in changes.revised
        ),
    )
