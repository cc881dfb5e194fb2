"""Long jobs, run as the worker runs them."""

import asyncio
from uuid import UUID

from monigo import invoicing
from monigo.infra import queue


def run_replay(api, job_id, *, size=None, stop=None):
    """Take a replay to its end, or until it is stopped."""
    _run(api, invoicing.replay_job(size), job_id, stop)


def run_simulation(api, job_id, *, stop=None):
    """Take a simulation to its end, or until it is stopped."""
    _run(api, invoicing.SIMULATION_JOB, job_id, stop)


def _run(api, job, job_id, stop):
    database, stop = api.backend.services.database, stop or asyncio.Event()
    api.backend.run(queue.run(job, database, api.tenant, UUID(str(job_id)), stop))
