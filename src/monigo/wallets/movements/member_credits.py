"""Credits within a limit: how much a member may give to wallets in a day."""

from monigo import tenancy
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.money import Money, format_money
from monigo.core.periods import local_day
from monigo.infra.db import Transaction
from monigo.wallets.movements import member_credits_store as store
from monigo.wallets.movements.service import DecidedMovement, lock_for, move
from monigo.wallets.types import Movement, MovementResult


async def credit(tx: Transaction, movement: Movement) -> MovementResult:
    """Credit a wallet, within the limit that the transaction's principal has, if any.

    A repeat gets the first answer, and counts once.

    Raises:
        DomainError: as `move`; forbidden, beyond the day's limit or in another currency.
    """
    limit = tx.principal.credit_limit
    if limit is None:
        return await move(tx, movement)
    batch = await lock_for(tx, [movement])
    decision = batch.decide(movement)
    if not isinstance(decision, DecidedMovement):
        return decision
    await _count(tx, movement.amount, limit)
    transfers = await batch.post()
    return MovementResult(decision.wallet, [transfers[decision.position]])


async def _count(tx: Transaction, amount: Money, limit: Money) -> None:
    """Count an amount to what the member has credited today, as the organisation's zone has it."""
    if amount.currency != limit.currency:
        raise _refusal(f"as a member you may credit {limit.currency} only")
    zone = (await tenancy.get_organization(tx)).billing.timezone
    message = f"as a member you may credit {format_money(limit.amount)} {limit.currency} a day"
    if amount.amount > limit.amount or not await store.count(
        tx, local_day(tx.now, zone), amount, limit
    ):
        raise _refusal(message)


def _refusal(message: str) -> DomainError:
    return DomainError(ErrorKind.FORBIDDEN, "member_credit_limit", message)
