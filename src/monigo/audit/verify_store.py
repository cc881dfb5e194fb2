"""The SQL that computes the audit log's chain again from its entries."""

from collections.abc import Sequence
from uuid import UUID

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction

# Of both modes, which the log belongs to.
COUNT = "SELECT count(*) FROM audit_entries WHERE org_id = $1"

COMPARE_ENTRIES = """
    SELECT jsonb_build_object('sequence', sequence, 'id', id)::text AS subject,
        jsonb_build_object('after', previous_sequence, 'link', encode(chain_hash, 'hex'))::text
            AS stored,
        jsonb_build_object('after', sequence - 1, 'link', encode(link, 'hex'))::text AS computed
    FROM (
        SELECT entry.sequence, entry.id, entry.chain_hash,
            lag(entry.sequence, 1, 0::bigint) OVER chain AS previous_sequence,
            sha256(
                lag(entry.chain_hash, 1, sha256('')) OVER chain || audit_entry_content(
                entry.org_id, entry.sequence, entry.id, entry.at, entry.is_test_mode,
                entry.actor_kind, entry.actor_id, entry.actor_name, entry.permission, entry.action,
                entry.route, entry.resource_type, entry.resource_id, entry.before, entry.after,
                entry.address, entry.user_agent, entry.request_id
            )
            ) AS link
        FROM audit_entries AS entry
        WHERE entry.org_id = $1
        WINDOW chain AS (ORDER BY entry.sequence)
    ) AS linked
    WHERE previous_sequence <> sequence - 1 OR chain_hash <> link
    ORDER BY sequence
    LIMIT $2
"""

COMPARE_HEADS = """
    SELECT $1::uuid::text AS subject,
        jsonb_build_object(
            'entries', head.sequence, 'link', encode(head.chain_hash, 'hex')
        )::text AS stored,
        jsonb_build_object(
            'entries', last.sequence, 'link', encode(last.chain_hash, 'hex')
        )::text AS computed
    FROM (
        SELECT sequence, chain_hash FROM audit_heads WHERE org_id = $1
    ) AS head
    FULL JOIN (
        SELECT sequence, chain_hash FROM audit_entries
        WHERE org_id = $1
        ORDER BY sequence DESC
        LIMIT 1
    ) AS last ON true
    WHERE (coalesce(head.sequence, 0), coalesce(head.chain_hash, sha256('')))
        IS DISTINCT FROM (coalesce(last.sequence, 0), coalesce(last.chain_hash, sha256('')))
    LIMIT $2
"""

# Of records that were handled, those whose first entry is not in the log.
SELECT_MISSING = """
    SELECT known.id::text AS subject FROM unnest($2::uuid[]) AS known (id)
    WHERE NOT EXISTS (
        SELECT 1 FROM audit_entries AS entry WHERE entry.org_id = $1 AND entry.id = known.id
    )
    ORDER BY known.id
    LIMIT $3
"""

COMPARISONS = {"audit entry": COMPARE_ENTRIES, "end of the audit log": COMPARE_HEADS}


async def count(tx: Transaction) -> int:
    """How many entries there are."""
    return await tx.connection.fetchval(COUNT, tx.org_id)


async def compare(tx: Transaction) -> list[Difference]:
    """Where the head and the entries are not what the chain makes of them."""
    return [
        Difference(what, row["subject"], row["stored"], row["computed"])
        for what, statement in COMPARISONS.items()
        for row in await tx.connection.fetch(statement, tx.org_id, DIFFERENCES_MAX)
    ]


async def list_missing(tx: Transaction, record_ids: Sequence[UUID]) -> list[Difference]:
    """Those of the records that were handled and are not in the log."""
    rows = await tx.connection.fetch(SELECT_MISSING, tx.org_id, record_ids, DIFFERENCES_MAX)
    return [
        Difference("audit entry that was written", row["subject"], None, "linked") for row in rows
    ]
