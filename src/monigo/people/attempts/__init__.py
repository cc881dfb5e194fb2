"""Attempts to sign in: recorded before they are checked, and refused where there are too many."""

from monigo.people.attempts.service import address_hash, address_hashes, begin, succeed
from monigo.people.attempts.store import delete_old

__all__ = ["address_hash", "address_hashes", "begin", "delete_old", "succeed"]
