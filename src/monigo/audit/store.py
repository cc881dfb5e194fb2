"""All SQL of the audit log but that of its verification."""

from collections.abc import Sequence

import asyncpg

from monigo.audit.types import EntryFilter, LoggedEntry, Place
from monigo.infra import json
from monigo.infra.db import Transaction

CHAIN = "SELECT chain_audit_entries($1, $2, $3)"

COLUMNS = """
    sequence, id, at, is_test_mode, actor_kind, actor_id, actor_name, permission, action, route,
    resource_type, resource_id, before::text AS before, after::text AS after, address, user_agent,
    request_id, chain_hash
"""

# The log is the organisation's: of both modes, unless only the transaction's own is wanted. What is
# not asked for is left out of the text, so that each question finds its index.
SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM audit_entries
    WHERE org_id = $1 AND (NOT $3::boolean OR is_test_mode IS NULL OR is_test_mode = $2) %s
    ORDER BY at DESC, sequence DESC
    LIMIT $4 OFFSET $5
"""

CONDITIONS = {
    "resource_type": "AND resource_type = ${}",
    "resource_id": "AND resource_id = ${}",
    "actor_id": "AND actor_id = ${}",
    "action": "AND action = ${}",
    "start": "AND at >= ${}",
    "end": "AND at < ${}",
}
BEHIND = "AND (at, sequence) < (${}, ${})"


async def chain(tx: Transaction, records: Sequence[str]) -> None:
    """Add the entries of these records, each a JSON list, in their order."""
    await tx.fetchval(CHAIN, records)


async def load_page(
    tx: Transaction, wanted: EntryFilter, after: Place | None, *, limit: int, offset: int
) -> list[LoggedEntry]:
    """Entries that match, newest first, behind a place."""
    arguments: list[object] = [wanted.is_of_own_mode, limit, offset]
    conditions: list[str] = []
    for name, condition in CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            arguments.append(value)
            conditions.append(condition.format(len(arguments) + 2))
    if after is not None:
        arguments += [after.at, after.sequence]
        conditions.append(BEHIND.format(len(arguments) + 1, len(arguments) + 2))
    rows = await tx.fetch(SELECT_PAGE % " ".join(conditions), *arguments)
    return [_entry(row) for row in rows]


def _entry(row: asyncpg.Record) -> LoggedEntry:
    values = dict(row.items())
    for side in ("before", "after"):
        values[side] = None if values[side] is None else json.decode(values[side])
    return LoggedEntry(**values)
