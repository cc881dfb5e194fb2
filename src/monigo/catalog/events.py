"""The facts of metrics, plans, prices and overrides."""

from uuid import UUID

from monigo.catalog.types import ApplyTo, BillingMode, PlanType
from monigo.core.ids import CustomerId, MetricId, PlanId, PriceId, PriceOverrideId
from monigo.infra.outbox import Fact


class MetricFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a metric."""

    subject = "metric"
    metric_id: MetricId

    @property
    def subject_id(self) -> UUID:
        """The metric."""
        return self.metric_id


class MetricCreated(MetricFact, frozen=True, kw_only=True):
    """A metric counts from now on, also what came before."""

    event_name: str


class MetricEdited(MetricFact, frozen=True, kw_only=True):
    """A metric was redefined; `counts_anew` where it counts otherwise than before."""

    event_name: str
    counts_anew: bool


class MetricDeleted(MetricFact, frozen=True, kw_only=True):
    """A metric was hidden."""


class PlanFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a plan."""

    subject = "plan"
    plan_id: PlanId

    @property
    def subject_id(self) -> UUID:
        """The plan."""
        return self.plan_id


class PlanCreated(PlanFact, frozen=True, kw_only=True):
    """A plan is offered from now on, with its first prices."""

    plan_type: PlanType
    billing_mode: BillingMode
    currency: str


class PlanEdited(PlanFact, frozen=True, kw_only=True):
    """Details of a plan were changed: those that are named."""

    changed: tuple[str, ...]


class PriceChanged(PlanFact, frozen=True, kw_only=True):
    """Prices or the base fee of a plan were changed, which made a revision of the plan."""

    revision: int
    apply_to: ApplyTo
    added: tuple[PriceId, ...]
    revised: tuple[PriceId, ...]
    removed: tuple[PriceId, ...]
    base_fee_changed: bool


class PlanDeleted(PlanFact, frozen=True, kw_only=True):
    """A plan was hidden."""


class OverrideFact(Fact, frozen=True, kw_only=True):
    """Something that happened to what one customer pays in place of a price's own model."""

    subject = "price_override"
    price_override_id: PriceOverrideId
    customer_id: CustomerId
    price_id: PriceId

    @property
    def subject_id(self) -> UUID:
        """The override."""
        return self.price_override_id


class OverrideCreated(OverrideFact, frozen=True, kw_only=True):
    """A customer pays otherwise than a price says."""


class OverrideChanged(OverrideFact, frozen=True, kw_only=True):
    """The terms of an override were changed."""


class OverrideDeleted(OverrideFact, frozen=True, kw_only=True):
    """An override was hidden."""
