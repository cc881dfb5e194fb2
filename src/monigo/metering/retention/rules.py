"""Pure rules of retention."""

from datetime import UTC, datetime, timedelta

from monigo.metering.rules import floor_hour

# Before any event. (The very first instant would come back from the database as -infinity.)
_FIRST_INSTANT = datetime(2, 1, 1, tzinfo=UTC)


def kept_from(retention_days: int | None, now: datetime) -> datetime:
    """From when on events keep their properties by the organisation's setting."""
    if retention_days is None:
        return _FIRST_INSTANT
    return floor_hour(now - timedelta(days=retention_days))
