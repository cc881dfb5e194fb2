"""Metrics: how events of one name become a quantity, and under which version they did."""

from monigo.catalog.metrics import events
from monigo.catalog.metrics.events import MetricEdited, RuleMetricCreated
from monigo.catalog.metrics.rules import (
    ADDITIVE,
    FILTER_OPERATORS,
    FILTERS_MAX,
    PERCENTAGE_OF,
    definition_faults,
)
from monigo.catalog.metrics.service import (
    count_rules,
    create_metric,
    create_rule_metric,
    delete_metric,
    find_metric,
    get_metric,
    get_metric_versions,
    get_metrics,
    hide_rule_metrics,
    list_metrics,
    lock_metrics,
    metric_versions_at,
    update_metric,
)
from monigo.catalog.metrics.types import (
    Metric,
    MetricDefinition,
    MetricDeletion,
    MetricFilter,
    MetricUnsumming,
)

__all__ = [
    "ADDITIVE",
    "FILTERS_MAX",
    "FILTER_OPERATORS",
    "PERCENTAGE_OF",
    "Metric",
    "MetricDefinition",
    "MetricDeletion",
    "MetricEdited",
    "MetricFilter",
    "MetricUnsumming",
    "RuleMetricCreated",
    "count_rules",
    "create_metric",
    "create_rule_metric",
    "definition_faults",
    "delete_metric",
    "events",
    "find_metric",
    "get_metric",
    "get_metric_versions",
    "get_metrics",
    "hide_rule_metrics",
    "list_metrics",
    "lock_metrics",
    "metric_versions_at",
    "update_metric",
]
