"""Prices, as plans, overrides and simulations share them."""
