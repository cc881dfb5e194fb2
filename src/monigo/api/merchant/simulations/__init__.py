"""Simulations of other prices."""
