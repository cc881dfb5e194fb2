"""Paystack: the adapter of its protocol."""

from monigo.providers.paystack.adapter import ADAPTER

__all__ = ["ADAPTER"]
