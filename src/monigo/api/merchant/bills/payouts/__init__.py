"""Payouts of bills: transfers, tries, holds."""
