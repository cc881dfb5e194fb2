"""The kind of jobs that build buckets anew: replays start them, retention waits for them."""

from monigo.infra.queue import JobKind

REPLAY = JobKind("replay", "replay_jobs")
