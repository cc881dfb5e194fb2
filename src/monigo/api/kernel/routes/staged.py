"""Staged routes: an intent is committed, the outside is called, and what came of it is recorded.

No transaction is open while the outside is called. With an Idempotency-Key the intent is claimed in
the transaction that commits it, so that no two attempts are at it at once, and none is forgotten.
"""

import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import Response
from msgspec import Struct

from monigo.api.kernel.changes import write_entry
from monigo.api.kernel.http.requests import Handler, JsonRequest
from monigo.api.kernel.routes.atomic import handled, keep
from monigo.api.kernel.routes.declarations import Declaration, Outside, Stages
from monigo.api.kernel.routes.idempotency import final_answer, identity_of, replayed
from monigo.api.kernel.routes.principals import Caller, authorized
from monigo.bootstrap import Services
from monigo.core.access import Permission, Principal
from monigo.infra import idempotency
from monigo.infra.db import Transaction
from monigo.infra.idempotency import Answer, Claim

# Statuses from here on mean that we, or the provider, failed.
FIRST_FAULT_OF_OURS = 500


class IntentResponse(Response):
    """Carries an endpoint's intent through the framework, which passes responses on untouched."""

    def __init__(self, intent: Any) -> None:
        super().__init__()
        self.intent = intent


class _Intended(Struct, frozen=True):
    """What the first transaction committed; without a claim where the request carries no key."""

    intent: Any
    claim: Claim | None
    principal: Principal


def returning_intent(endpoint: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Response]]:
    """The endpoint as the framework may call it: what it returns is no answer yet."""

    @functools.wraps(endpoint)
    async def intend(*arguments: Any, **options: Any) -> Response:
        return IntentResponse(await endpoint(*arguments, **options))

    # Or the intent would be documented as the answer.
    intend.__annotations__ = {**endpoint.__annotations__, "return": IntentResponse}
    return intend


async def respond_in_stages(
    declared: Declaration,
    caller: Caller,
    request: JsonRequest,
    permission: Permission,
    handle: Handler,
) -> Response:
    """The recorded outcome's answer, or the one that the request got before."""
    stages = _stages_of(declared)
    intended = await _intend(declared, caller, request, permission, handle)
    if isinstance(intended, Response):
        return intended
    services: Services = request.app.state.services
    outside = Outside(
        services.acting_as(intended.principal), caller.tenant, intended.principal, request
    )
    async with contextlib.AsyncExitStack() as stack:
        if intended.claim is not None:
            await stack.enter_async_context(
                idempotency.staged.renewed(services.database, caller.tenant, intended.claim)
            )
        outcome = await stages.call(outside, intended.intent)
        return await _recorded(outside, intended, declared, permission, outcome)


def _stages_of(declared: Declaration) -> Stages:
    if declared.stages is None:
        raise AssertionError("a staged route has stages")
    return declared.stages


async def _intend(
    declared: Declaration,
    caller: Caller,
    request: JsonRequest,
    permission: Permission,
    handle: Handler,
) -> Response | _Intended:
    """Commit the request's intent, or take over the one that it has; or what it is answered."""
    services: Services = request.app.state.services
    async with services.database.transaction(caller.tenant) as begun:
        tx = await authorized(services, begun, caller, permission)
        known = await identity_of(tx, request, services.people.vault)
        before = None if known is None else await idempotency.staged.begin(tx, known)
        if isinstance(before, Answer):
            return replayed(before)
        if before is not None:
            intent = msgspec.convert(before.intent, _stages_of(declared).intent_type)
            return _Intended(intent, before, tx.principal)
        response = await handled(tx, request, handle, is_kept=known is not None)
        await write_entry(tx, request, declared.changes, permission)
        if isinstance(response, IntentResponse):
            claim = None
            if known is not None:
                written = msgspec.to_builtins(response.intent)
                claim = await idempotency.staged.claim(tx, known, written)
            return _Intended(response.intent, claim, tx.principal)
        if known is not None:
            await keep(tx, known, response)
        return response


async def _recorded(
    outside: Outside,
    intended: _Intended,
    declared: Declaration,
    permission: Permission,
    outcome: Any,
) -> Response:
    async with outside.services.database.transaction(outside.tenant) as tx:
        if intended.claim is not None:
            await idempotency.staged.lock_claim(tx, intended.claim)
        response = await _stages_of(declared).record(tx, intended.intent, outcome)
        await write_entry(tx, outside.request, declared.changes, permission)
        if intended.claim is not None:
            await _settle(tx, intended.claim, response)
        return response


async def _settle(tx: Transaction, claim: Claim, response: Response) -> None:
    """Decide what a repeat gets after an outcome was recorded.

    A final answer is kept. Any other refusal of people, such as 402, is an outcome, too, but may be
    another next time. What we could not find out is asked for again, about the same intent.
    """
    final = final_answer(response)
    if final is not None:
        await idempotency.staged.answer(tx, claim, final)
    elif response.status_code < FIRST_FAULT_OF_OURS:
        await idempotency.staged.start_over(tx, claim)
    else:
        await idempotency.staged.release(tx, claim)
