"""Replays: rebuild the buckets of a window, or of a metric's new version, from events."""

from monigo.metering.replay.service import (
    StepSize,
    attribute_by_rules,
    begin_replay,
    cancel_replay,
    define_metric,
    get_replay,
    list_replays,
    redefine_metric,
    replay_some,
    replayed_hours,
    running_replays,
    start_replay,
)
from monigo.metering.replay.store import REPLAY_RUNNING
from monigo.metering.replay.types import ReplayJob, ReplayRequest, ReplayStatus

__all__ = [
    "REPLAY_RUNNING",
    "ReplayJob",
    "ReplayRequest",
    "ReplayStatus",
    "StepSize",
    "attribute_by_rules",
    "begin_replay",
    "cancel_replay",
    "define_metric",
    "get_replay",
    "list_replays",
    "redefine_metric",
    "replay_some",
    "replayed_hours",
    "running_replays",
    "start_replay",
]
