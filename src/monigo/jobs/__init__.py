"""Work that runs beside the API, on a schedule."""

from monigo.jobs.worker import run_worker

__all__ = ["run_worker"]
