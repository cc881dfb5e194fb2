"""Pure rules of replays: which windows are possible, and what whole hours they touch."""

from datetime import datetime, timedelta

from monigo.core.errors import invalid
from monigo.metering.replay.types import ReplayRequest
from monigo.metering.rules import AHEAD

# A year and a grace period: no bill that can still change is older.
REPLAY_SPAN_MAX = timedelta(days=400)


def check_replay(request: ReplayRequest, now: datetime) -> None:
    """Raise invalid unless a replay may go over this window."""
    if request.start > now + AHEAD:
        raise invalid({"from": "must not lie in the future"})
    if request.end <= request.start:
        raise invalid({"to": "must lie after from"})
    if request.end - request.start > REPLAY_SPAN_MAX:
        raise invalid({"to": f"must lie at most {REPLAY_SPAN_MAX.days} days after from"})
