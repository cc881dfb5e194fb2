"""Attempts to sign in: recorded before they are checked, and refused where there are too many."""

from monigo.people.attempts.service import address_hash, begin, succeed
from monigo.people.attempts.store import delete_old

__all__ = ["address_hash", "begin", "delete_old", "succeed"]
