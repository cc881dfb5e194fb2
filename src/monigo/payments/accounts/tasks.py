"""The due work of virtual accounts, which asks providers."""

import asyncio
from collections.abc import Awaitable, Callable

from monigo.core.ids import VirtualAccountId
from monigo.infra.agenda import PUT_OFF, BackOff, Claim, Steps, Task, Turns
from monigo.infra.db import Database
from monigo.payments.accounts import store
from monigo.payments.accounts.calls import ask_again, list_deposits
from monigo.payments.accounts.due import ACCOUNT_ASK, DEPOSIT_LIST
from monigo.payments.connections import ProviderDesk
from monigo.providers.registry import PROVIDERS

# Under way at once of one provider, for most of the time goes by in waiting; each has as many, so
# that one that hangs leaves the others theirs.
OF_PROVIDER = 4
_AT_ONCE = OF_PROVIDER * len(PROVIDERS)

_Work = Callable[[ProviderDesk, Database, Claim, asyncio.Event], Awaitable[None]]


def tasks(desk: ProviderDesk) -> tuple[Task, ...]:
    """What is due of virtual accounts."""
    asking, listing = _in_turn(desk, ask_again), _in_turn(desk, list_deposits)
    return (
        Task(ACCOUNT_ASK, asking, concurrency=_AT_ONCE, back_off=BackOff()),
        Task(DEPOSIT_LIST, listing, concurrency=_AT_ONCE, every_seconds=5),
    )


def _in_turn(desk: ProviderDesk, work: _Work) -> Steps:
    """Work on an account in its turn at the account's provider."""
    turns = Turns(OF_PROVIDER)

    async def in_turn(database: Database, claim: Claim, stop: asyncio.Event) -> None:
        async with database.transaction(claim.tenant) as tx:
            account = await store.load(tx, VirtualAccountId(claim.subject))
        async with turns.at(account and account.provider) as is_free:
            if is_free:
                await work(desk, database, claim, stop)
                return
        async with database.transaction(claim.tenant) as tx:
            await claim.finish(tx, again_at=tx.real_now + PUT_OFF)

    return Steps(in_turn)
