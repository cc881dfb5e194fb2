"""Flutterwave (v3): the adapter of its protocol."""

from monigo.providers.flutterwave.adapter import ADAPTER

__all__ = ["ADAPTER"]
