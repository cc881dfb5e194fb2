"""Monnify: the adapter of its protocol."""

from monigo.providers.monnify.adapter import ADAPTER

__all__ = ["ADAPTER"]
