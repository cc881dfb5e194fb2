"""The facts of digests. Each is the only one of its subject."""

from datetime import datetime

from monigo.core.ids import CustomerId, UsageDigestId
from monigo.infra.outbox import Fact
from monigo.reports.digests.types import MetricUsage, Span


class UsageReported(Fact, frozen=True, kw_only=True):
    """What all customers of an organisation used in a period."""

    subject = "usage_digest"
    subject_field = "digest_id"
    digest_id: UsageDigestId
    period_start: datetime
    period_end: datetime
    metrics: tuple[MetricUsage, ...]


class UsageOfDay(UsageReported, frozen=True, kw_only=True):
    """In a day."""


class UsageOfWeek(UsageReported, frozen=True, kw_only=True):
    """In a week."""


class UsageOfMonth(UsageReported, frozen=True, kw_only=True):
    """In a month."""


class CustomerUsageReported(UsageReported, frozen=True, kw_only=True):
    """What one customer used in a period."""

    customer_id: CustomerId


class CustomerUsageOfDay(CustomerUsageReported, frozen=True, kw_only=True):
    """In a day."""


class CustomerUsageOfWeek(CustomerUsageReported, frozen=True, kw_only=True):
    """In a week."""


class CustomerUsageOfMonth(CustomerUsageReported, frozen=True, kw_only=True):
    """In a month."""


OF_ORGANIZATION: dict[Span, type[UsageReported]] = {
    Span.DAILY: UsageOfDay,
    Span.WEEKLY: UsageOfWeek,
    Span.MONTHLY: UsageOfMonth,
}
OF_CUSTOMER: dict[Span, type[CustomerUsageReported]] = {
    Span.DAILY: CustomerUsageOfDay,
    Span.WEEKLY: CustomerUsageOfWeek,
    Span.MONTHLY: CustomerUsageOfMonth,
}
