"""The due work of saved methods: providers forget those that were removed."""

import asyncio
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import PaymentMethodId
from monigo.infra import registry
from monigo.infra.agenda import Claim, Steps, Task
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, Tenant, Transaction
from monigo.payments.methods import service, store
from monigo.payments.methods.types import MethodForgetting, PaymentMethod
from monigo.providers import port
from monigo.providers.port import Failed, Outcome, Unknown, Verb
from monigo.providers.registry import adapter_of

# While a payment by the method is under way, or its provider does not answer.
LATER = timedelta(hours=1)


class Desk(Protocol):
    """Asks providers, and has the vault in which tokens can be read."""

    @property
    def vault(self) -> Vault:
        """What tokens are encrypted by."""
        ...

    async def ask(
        self, database: Database, tenant: Tenant, connection_id: UUID, intent: port.Intent
    ) -> Outcome:
        """What came of an intent."""
        ...


def forgetting_task(desk: Desk) -> Task:
    """Due work that has removed methods forgotten: by the provider where it can, then by us."""

    async def work(database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop
        method_id = PaymentMethodId(claim.subject)
        async with database.transaction(claim.tenant) as tx:
            found = await _token(tx, desk.vault, method_id)
            if found is None:
                await claim.finish(tx, again_at=tx.real_now + LATER)
                return
        method, token = found
        verbs = adapter_of(method.provider).capabilities.verbs
        outcome: Outcome | None = None
        if token and Verb.FORGET_METHOD in verbs:
            forgetting = port.ForgetMethod(token=token)
            outcome = await desk.ask(database, claim.tenant, method.connection_id, forgetting)
        async with database.transaction(claim.tenant) as tx:
            if _is_unanswered(outcome):
                await claim.finish(tx, again_at=tx.real_now + LATER)
            else:
                await store.forget(tx, method_id)
                await claim.finish(tx)

    return Task(service.FORGETTING, Steps(work), concurrency=1, every_seconds=5)


def _is_unanswered(outcome: Outcome | None) -> bool:
    is_unsent = isinstance(outcome, Failed) and outcome.code is port.FailureCode.NOT_SENT
    return is_unsent or isinstance(outcome, Unknown)


async def _token(
    tx: Transaction, vault: Vault, method_id: PaymentMethodId
) -> tuple[PaymentMethod, str] | None:
    """A removed method and its token, empty if there is none; None while it is used."""
    try:
        await registry.ask(tx, MethodForgetting(method_id))
    except DomainError as refusal:
        if refusal.kind is not ErrorKind.CONFLICT:
            raise
        return None
    method = await store.load(tx, method_id)
    if method is None:
        return None
    tokens = await service.tokens_of(tx, vault, [method_id])
    return method, tokens.get(method_id, "")
