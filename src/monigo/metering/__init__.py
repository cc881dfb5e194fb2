"""Usage events and what is measured from them."""

from monigo.metering.explorer import (
    EVENTS_A_PAGE_MAX,
    list_events,
    plan_walk,
    property_keys,
)
from monigo.metering.export import export_csv
from monigo.metering.folding import fold_all, fold_lag
from monigo.metering.ingestion import Ingestor
from monigo.metering.points import Granularity
from monigo.metering.replay import (
    StepSize,
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
from monigo.metering.replay_store import REPLAY, REPLAY_RUNNING
from monigo.metering.retention import (
    EVENT_RETENTION,
    events_kept_from,
    forget_properties,
    has_emptied_events,
)
from monigo.metering.rules import AGE_MAX, decode_batch
from monigo.metering.series import read_series
from monigo.metering.service import late_from, list_activity, measure
from monigo.metering.tasks import forget_old_events
from monigo.metering.types import (
    CustomerActivity,
    Event,
    EventFilter,
    EventPage,
    EventRequest,
    IngestResult,
    LateQuery,
    ReplayJob,
    ReplayRequest,
    ReplayStatus,
    Series,
    SeriesPoint,
    SeriesRequest,
    StoredEvent,
    Usage,
    UsageChange,
    UsageQuery,
)
from monigo.metering.verification import verify
from monigo.metering.watching import USAGE_CHANGED, watch

__all__ = [
    "AGE_MAX",
    "EVENTS_A_PAGE_MAX",
    "EVENT_RETENTION",
    "REPLAY",
    "REPLAY_RUNNING",
    "USAGE_CHANGED",
    "CustomerActivity",
    "Event",
    "EventFilter",
    "EventPage",
    "EventRequest",
    "Granularity",
    "IngestResult",
    "Ingestor",
    "LateQuery",
    "ReplayJob",
    "ReplayRequest",
    "ReplayStatus",
    "Series",
    "SeriesPoint",
    "SeriesRequest",
    "StepSize",
    "StoredEvent",
    "Usage",
    "UsageChange",
    "UsageQuery",
    "begin_replay",
    "cancel_replay",
    "decode_batch",
    "define_metric",
    "events_kept_from",
    "export_csv",
    "fold_all",
    "fold_lag",
    "forget_old_events",
    "forget_properties",
    "get_replay",
    "has_emptied_events",
    "late_from",
    "list_activity",
    "list_events",
    "list_replays",
    "measure",
    "plan_walk",
    "property_keys",
    "read_series",
    "redefine_metric",
    "replay_some",
    "replayed_hours",
    "running_replays",
    "start_replay",
    "verify",
    "watch",
]
