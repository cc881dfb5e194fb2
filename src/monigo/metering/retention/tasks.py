"""The due work of retention: redaction of old events."""

from functools import partial

from monigo.infra.agenda import Steps, Task
from monigo.metering.retention.service import OpenFrom, look
from monigo.metering.rollup import EVENT_RETENTION


def redaction_task(open_from: OpenFrom) -> Task:
    """The agenda's task of redaction; `open_from` finds the periods that are still to be billed."""
    work = Steps(partial(look, open_from=open_from))
    return Task(EVENT_RETENTION, work, concurrency=1, every_seconds=60)
