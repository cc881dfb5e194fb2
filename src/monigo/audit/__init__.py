"""The audit log: who changed what of an organisation."""

from monigo.audit import events
from monigo.audit.export import export_csv
from monigo.audit.rules import changed_fields
from monigo.audit.service import (
    CHAIN,
    ENTRIES_A_PAGE_MAX,
    OFFSET_MAX,
    check,
    cursor_text,
    entry_of,
    list_entries,
    write,
    written,
)
from monigo.audit.types import Call, Entry, EntryFilter, EntryPage, Fields, LoggedEntry
from monigo.audit.verification import verify

__all__ = [
    "CHAIN",
    "ENTRIES_A_PAGE_MAX",
    "OFFSET_MAX",
    "Call",
    "Entry",
    "EntryFilter",
    "EntryPage",
    "Fields",
    "LoggedEntry",
    "changed_fields",
    "check",
    "cursor_text",
    "entry_of",
    "events",
    "export_csv",
    "list_entries",
    "verify",
    "write",
    "written",
]
