"""The SQL that the tables of long jobs have in common."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from monigo.infra import json
from monigo.infra.db import Transaction

SELECT_UNFINISHED = """
    SELECT id FROM {table}
    WHERE org_id = $1 AND is_test = $2 AND status IN ('pending', 'processing')
    ORDER BY created_at, id
"""

SELECT_UNFINISHED_OF = """
    SELECT id FROM {table}
    WHERE org_id = $1 AND is_test = $2 AND status IN ('pending', 'processing')
        AND id = ANY ($3::uuid[])
"""

END = """
    UPDATE {table}
    SET status = $4, error_message = $5, report = $6, completed_at = $7, updated_at = $7
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND status IN ('pending', 'processing')
"""


async def list_unfinished(tx: Transaction, table: str) -> list[UUID]:
    """Jobs that are pending or under way, oldest first."""
    return [row["id"] for row in await tx.fetch(SELECT_UNFINISHED.format(table=table))]


async def list_unfinished_of(tx: Transaction, table: str, job_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these jobs that are pending or under way."""
    rows = await tx.fetch(SELECT_UNFINISHED_OF.format(table=table), job_ids)
    return [row["id"] for row in rows]


async def end(
    tx: Transaction, table: str, job_id: UUID, *, status: str, error_message: str, report: Any
) -> None:
    """Close a job, unless it has ended."""
    text = None if report is None else json.encode(report)
    await tx.execute(END.format(table=table), job_id, status, error_message, text, tx.now)
