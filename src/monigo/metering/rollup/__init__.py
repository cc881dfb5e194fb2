"""Rollup: folds events into buckets of hours and days, from which usage is read; rebuilds them."""

from monigo.metering.rollup.amounts_store import attribute_waiting
from monigo.metering.rollup.folding import attribute_share, fold_all, fold_lag, fold_waiting
from monigo.metering.rollup.noting import (
    DIGEST_OF_DAY,
    EVENT_RETENTION,
    LOOK_EVERY,
    USAGE_CHANGED,
    USAGE_FOLDED,
    USAGE_OF_DAY,
    note_usage_of_day,
    take_touched,
    watch,
    watch_usage,
)
from monigo.metering.rollup.rebuild_store import (
    Selection,
    Share,
    compare,
    count_selected,
    has_events,
    next_share,
    rebuild,
    set_up_rebuild,
)
from monigo.metering.rollup.store import lock_folding
from monigo.metering.rollup.types import TouchedUsage, UsageChange, Watcher
from monigo.metering.rollup.verification import verify
from monigo.metering.rollup.volumes_store import count_events

__all__ = [
    "DIGEST_OF_DAY",
    "EVENT_RETENTION",
    "LOOK_EVERY",
    "USAGE_CHANGED",
    "USAGE_FOLDED",
    "USAGE_OF_DAY",
    "Selection",
    "Share",
    "TouchedUsage",
    "UsageChange",
    "Watcher",
    "attribute_share",
    "attribute_waiting",
    "compare",
    "count_events",
    "count_selected",
    "fold_all",
    "fold_lag",
    "fold_waiting",
    "has_events",
    "lock_folding",
    "next_share",
    "note_usage_of_day",
    "rebuild",
    "set_up_rebuild",
    "take_touched",
    "verify",
    "watch",
    "watch_usage",
]
