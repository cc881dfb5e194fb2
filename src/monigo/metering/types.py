"""The kind of replay jobs, which retention waits for."""

from monigo.infra.queue import JobKind

REPLAY = JobKind("replay", "replay_jobs")
