"""Statements: what a payee was owed and got, and the tax that was withheld."""

from monigo.payouts.statements.service import list_withheld, statement_csv
from monigo.payouts.statements.types import WithheldTax

__all__ = [
    "WithheldTax",
    "list_withheld",
    "statement_csv",
]
