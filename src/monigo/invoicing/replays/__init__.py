"""What replays change: open drafts are recomputed, closed periods looked at again."""

from monigo.invoicing.replays.job import replay_job

__all__ = [
    "replay_job",
]
