"""Digests: what was used in a day, a week or a month, as facts."""

from monigo.reports.digests import events
from monigo.reports.digests.tasks import REPORT_USAGE
from monigo.reports.digests.types import MetricUsage

__all__ = ["REPORT_USAGE", "MetricUsage", "events"]
