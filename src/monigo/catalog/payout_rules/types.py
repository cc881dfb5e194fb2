"""Payout rules: what an event is worth to whom it names."""

from msgspec import Struct

from monigo.catalog.metrics import Metric, MetricFilter
from monigo.catalog.prices import Price
from monigo.core.ids import PriceId


class RuleDefinition(Struct, frozen=True):
    """Which events pay, whom, how much.

    `recipient_field` is the property that names a customer, by id or external_id. The amount is in
    the plan's currency.
    """

    trigger_event: str
    recipient_field: str
    amount_expression: str
    filters: tuple[MetricFilter, ...] = ()


class RuleDraft(Struct, frozen=True):
    """A payout rule as asked for: with the id of the one it revises, or as a new one.

    An empty `currency` is the plan's.
    """

    id: PriceId | None
    definition: RuleDefinition
    currency: str = ""


class PayoutRule(Struct, frozen=True):
    """A payout rule as stored: a price of one for each unit of money that its metric sums up.

    Its id is the price's and stays for life. A metric never changes: an edit has another one.
    """

    price: Price
    metric: Metric

    @property
    def id(self) -> PriceId:
        """That of its price."""
        return self.price.id

    @property
    def definition(self) -> RuleDefinition:
        """Which events pay, whom, how much."""
        held = self.metric.definition
        return RuleDefinition(
            held.event_name, held.customer_property, held.value_expression, held.filters
        )
