"""The facts of metrics."""

from monigo.core.ids import MetricId
from monigo.infra.outbox import Fact


class MetricFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a metric."""

    subject = "metric"
    subject_field = "metric_id"
    metric_id: MetricId


class MetricCreated(MetricFact, frozen=True, kw_only=True):
    """A metric counts from now on, also what came before."""

    event_name: str


class RuleMetricCreated(MetricFact, frozen=True, kw_only=True):
    """A payout rule attributes amounts from now on, also of what came before."""

    event_name: str


class MetricEdited(MetricFact, frozen=True, kw_only=True):
    """A metric was redefined; `is_recounted` where it counts otherwise than before."""

    event_name: str
    is_recounted: bool


class MetricDeleted(MetricFact, frozen=True, kw_only=True):
    """A metric was hidden."""
