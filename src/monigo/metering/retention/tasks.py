"""The due work of metering: old events lose their properties."""

from functools import partial

from monigo.infra.agenda import Steps, Task
from monigo.metering.retention.service import OpenFrom, look
from monigo.metering.rollup import EVENT_RETENTION


def redaction_task(open_from: OpenFrom) -> Task:
    """Retention; `open_from` tells which periods are still to be counted."""
    work = Steps(partial(look, open_from=open_from))
    return Task(EVENT_RETENTION, work, concurrency=1, every_seconds=60)
