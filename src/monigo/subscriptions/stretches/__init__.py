"""Stretches: no instant of a customer's usage belongs to two subscriptions of one plan type."""

from monigo.subscriptions.stretches.service import claim, release, usual_start

__all__ = ["claim", "release", "usual_start"]
