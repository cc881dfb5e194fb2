"""Figures of this process for monitoring, in the format of Prometheus.

No label holds a tenant, a customer or anything else that a client can make up: each label has few
values, all of them names of ours.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_REGISTRY = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)

EVENTS_INGESTED = Counter(
    "monigo_events_ingested", "Events stored, without repeats.", registry=_REGISTRY
)
EVENTS_REPEATED = Counter(
    "monigo_events_repeated", "Events whose key was known already.", registry=_REGISTRY
)
REQUESTS = Counter(
    "monigo_http_requests",
    "Requests answered, by route and status.",
    ("method", "route", "status"),
    registry=_REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "monigo_http_request_seconds",
    "Time from a request to the end of its answer.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),  # all are seconds
    registry=_REGISTRY,
)
PROVIDER_EVENTS = Counter(
    "monigo_provider_events",
    "Webhooks of payment providers, by what was made of them when they came.",
    ("provider", "verdict"),
    registry=_REGISTRY,
)
DATABASE_UP = Gauge("monigo_database_up", "1 where the database answers.", registry=_REGISTRY)
POOL_CONNECTIONS = Gauge(
    "monigo_pool_connections", "Database connections, by state.", ("state",), registry=_REGISTRY
)
FOLD_LAG_SECONDS = Gauge(
    "monigo_fold_lag_seconds",
    "How long the oldest batch of events waits to be added to the buckets.",
    registry=_REGISTRY,
)
AGENDA_DUE = Gauge(
    "monigo_agenda_due", "Entries of the agenda that are due now.", ("kind",), registry=_REGISTRY
)
AGENDA_LAG_SECONDS = Gauge(
    "monigo_agenda_lag_seconds",
    "How long the oldest due entry waits.",
    ("kind",),
    registry=_REGISTRY,
)
AGENDA_SET_ASIDE = Gauge(
    "monigo_agenda_set_aside",
    "Entries of the agenda that failed and wait to be tried again.",
    ("kind",),
    registry=_REGISTRY,
)
QUEUE_JOBS = Gauge(
    "monigo_queue_jobs", "Jobs in the queue, by lane.", ("lane", "status"), registry=_REGISTRY
)
OUTBOX_WAITING = Gauge(
    "monigo_outbox_waiting",
    "Facts that a subscriber has not got.",
    ("subscriber",),
    registry=_REGISTRY,
)
OUTBOX_LAG_SECONDS = Gauge(
    "monigo_outbox_lag_seconds",
    "How long the oldest fact waits for a subscriber.",
    ("subscriber",),
    registry=_REGISTRY,
)


class RequestFigures:
    """Counts requests; remembers each combination's counters, which are asked for at every one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a route's pattern, never a path that a client made up."""
        key = (method, route, status)
        known = self._known.get(key)
        if known is None:
            known = (REQUESTS.labels(*key), REQUEST_SECONDS.labels(route))
            self._known[key] = known
        known[0].inc()
        known[1].observe(seconds)


def text() -> bytes:
    """All figures as they are now."""
    return generate_latest(_REGISTRY)
