"""Codes that are mailed, to show whose an e-mail is and to reset a password."""

from monigo.people.codes.rules import Purpose
from monigo.people.codes.service import end_all, exchange, issue, of_token, use
from monigo.people.codes.store import delete_before
from monigo.people.codes.types import Code, Issued

__all__ = [
    "Code",
    "Issued",
    "Purpose",
    "delete_before",
    "end_all",
    "exchange",
    "issue",
    "of_token",
    "use",
]
