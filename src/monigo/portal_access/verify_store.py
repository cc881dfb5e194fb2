"""The SQL that compares portal tokens with the look-ups by which they are found."""

from collections import Counter

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction

COUNT = "SELECT count(*) FROM portal_tokens WHERE org_id = $1 AND is_test = $2"

# A token and its look-up; one without the other is at fault.
COMPARE = """
    SELECT token.id AS token_id, lookup.token_id AS found_id
    FROM (
        SELECT id FROM portal_tokens WHERE org_id = $1 AND is_test = $2
    ) AS token
    FULL JOIN (
        SELECT token_id FROM portal_token_lookups WHERE org_id = $1 AND is_test = $2
    ) AS lookup ON lookup.token_id = token.id
    WHERE token.id IS NULL OR lookup.token_id IS NULL
    ORDER BY 1, 2
    LIMIT $3
"""


async def count(tx: Transaction) -> Counter[str]:
    """How much there is to look at."""
    return Counter({"portal tokens": await tx.fetchval(COUNT)})


async def compare(tx: Transaction) -> list[Difference]:
    """Tokens without look-up, and look-ups without token."""
    return [
        Difference(
            "look-up of a portal token",
            str(row["token_id"] or row["found_id"]),
            None if row["found_id"] is None else "present",
            None if row["token_id"] is None else "present",
        )
        for row in await tx.fetch(COMPARE, DIFFERENCES_MAX)
    ]
