"""The worker: what runs beside the API."""

from monigo.worker.run import run_worker

__all__ = ["run_worker"]
