"""Payments: money in and out through the merchants' accounts at payment providers.

Its rooms are imported by their own names, such as `monigo.payments.connections`.
"""
