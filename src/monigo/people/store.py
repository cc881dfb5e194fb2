"""The SQL that opens a transaction to people's tables."""

from monigo.infra.db import Transaction

SEE_PEOPLE = "SET LOCAL app.people = 'on'"
LOCK_NAME = "SELECT pg_advisory_xact_lock(hashtextextended('people ' || $1, 0))"


async def see_people(tx: Transaction) -> None:
    """Show people's tables to a transaction, until it ends."""
    await tx.connection.execute(SEE_PEOPLE)


async def lock_name(tx: Transaction, name: str) -> None:
    """Serialise transactions on a name (an e-mail, say) until this one ends."""
    await tx.connection.execute(LOCK_NAME, name)
