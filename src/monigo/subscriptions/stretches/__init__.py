"""Stretches: no instant of a customer's usage belongs to two subscriptions of one plan type."""

from monigo.subscriptions.stretches.service import claim, release, times_before, usual_start

__all__ = ["claim", "release", "times_before", "usual_start"]
