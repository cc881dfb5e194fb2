"""Tries to sign in: counted before they are looked at, and refused where there are too many."""

from monigo.people.attempts.service import address_mark, address_marks, begin, succeed
from monigo.people.attempts.store import delete_old

__all__ = ["address_mark", "address_marks", "begin", "delete_old", "succeed"]
