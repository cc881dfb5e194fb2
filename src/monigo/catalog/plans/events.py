"""The facts of metrics, plans, prices and overrides."""

from monigo.catalog.plans.types import ApplyTo, BillingMode, PlanType
from monigo.core.ids import PlanId, PriceId
from monigo.infra.outbox import Fact


class PlanFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a plan."""

    subject = "plan"
    subject_field = "plan_id"
    plan_id: PlanId


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
