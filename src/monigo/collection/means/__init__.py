"""Means: by which invoices can be collected, and what happens as that changes."""

from monigo.collection.means.changes import (
    RETRY_WAITING,
    note_activated,
    note_connections,
    note_emails,
)
from monigo.collection.means.service import NO_EMAIL, Means, below_minimum, means_by, means_of

__all__ = [
    "NO_EMAIL",
    "RETRY_WAITING",
    "Means",
    "below_minimum",
    "means_by",
    "means_of",
    "note_activated",
    "note_connections",
    "note_emails",
]
