"""The SQL that counts what members credit in a day."""

from datetime import date
from uuid import UUID

from monigo.core.money import Money
from monigo.infra.db import Transaction

# Of two at once the second waits for the first, and is counted on top of it.
COUNT = """
    INSERT INTO member_credits (
        org_id, is_test, user_id, day, currency, credited, credit_limit, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (org_id, is_test, user_id, day, currency) DO UPDATE
    SET credited = member_credits.credited + excluded.credited,
        credit_limit = excluded.credit_limit, updated_at = excluded.updated_at
    WHERE member_credits.credited + excluded.credited <= excluded.credit_limit
    RETURNING 1
"""


async def count(tx: Transaction, day: date, amount: Money, limit: Money) -> bool:
    """Add to what the principal has credited in a day; whether it stays within the limit."""
    user_id = UUID(tx.principal.id)
    counted = await tx.fetchval(
        COUNT, user_id, day, amount.currency, amount.amount, limit.amount, tx.real_now
    )
    return counted is not None
