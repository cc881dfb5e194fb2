"""The queue: long jobs with progress, in lanes by kind."""

from monigo.infra.queue.jobs import (
    JobKind,
    LongJob,
    cancel,
    complete,
    fail,
    list_unfinished,
    run,
    start,
    verify,
)
from monigo.infra.queue.lanes import Lane, TryLaterError, work
from monigo.infra.queue.log_store import count_jobs, forget_log

__all__ = [
    "JobKind",
    "Lane",
    "LongJob",
    "TryLaterError",
    "cancel",
    "complete",
    "count_jobs",
    "fail",
    "forget_log",
    "list_unfinished",
    "run",
    "start",
    "verify",
    "work",
]
