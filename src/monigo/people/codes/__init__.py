"""Codes that are mailed, to show whose an e-mail is and to reset a password."""

from monigo.people.codes.rules import Purpose
from monigo.people.codes.service import are_too_many, end_all, exchange, issue, of_token, use
from monigo.people.codes.store import delete_before
from monigo.people.codes.types import Code, Issued

__all__ = [
    "Code",
    "Issued",
    "Purpose",
    "are_too_many",
    "delete_before",
    "end_all",
    "exchange",
    "issue",
    "of_token",
    "use",
]
