"""The fact that entries are to be added to the log."""

from uuid import UUID

import msgspec

from monigo.infra.facts import Fact


class EntriesWritten(Fact, frozen=True, kw_only=True):
    """Entries were written in a transaction: a JSON list of what `Entry` holds.

    It is read by the database alone, so that nobody else takes it apart.
    """

    subject = "audit record"
    record_id: UUID
    entries: msgspec.Raw

    @property
    def subject_id(self) -> UUID:
        """The record, known by its first entry; no other fact is of it."""
        return self.record_id
