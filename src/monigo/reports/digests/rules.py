"""Pure rules of digests: which days, weeks and months there are, and when they are reported."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from monigo.core.periods import Period
from monigo.reports.digests.types import Span

# When digests are reported (behaviour page, Webhooks sent).
REPORTED_AT = timedelta(hours=8)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(subject: UUID) -> datetime:
    """The first day of a digest's period, whose number its subject on the agenda is."""
    return _EPOCH + subject.int * _DAY


def subject_of(period: Period) -> UUID:
    """The subject on the agenda of a period's digest."""
    return UUID(int=(period.start - _EPOCH) // _DAY)


def period_of(span: Span, day: datetime) -> Period:
    """The day, week or month, UTC, in which a day lies."""
    if span is Span.DAILY:
        return Period(day, day + _DAY)
    if span is Span.WEEKLY:
        monday = day - day.weekday() * _DAY
        return Period(monday, monday + 7 * _DAY)
    first = day.replace(day=1)
    # The longest month has 31 days.
    return Period(first, (first + 31 * _DAY).replace(day=1))


def due_at(period: Period) -> datetime:
    """When a period's digest is reported."""
    return period.end + REPORTED_AT
