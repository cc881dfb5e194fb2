"""Batching: concurrent requests of one tenant share a transaction, without waiting for a timer."""

from monigo.infra.batching.batcher import Batcher, BatchLimits

__all__ = ["BatchLimits", "Batcher"]
