"""Atomic routes: one transaction of the tenant; an Idempotency-Key's answer commits with it."""

from functools import partial

from fastapi import Response

from monigo.api.kernel.changes import write_entry
from monigo.api.kernel.http.errors import as_domain_error, error_response
from monigo.api.kernel.http.requests import Handler, JsonRequest
from monigo.api.kernel.routes.declarations import Declaration
from monigo.api.kernel.routes.idempotency import final_answer, identity_of, replayed
from monigo.api.kernel.routes.principals import Caller, authorized
from monigo.api.kernel.wire.local_days import with_local_days
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.infra import idempotency
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.idempotency import Answer, RequestIdentity

PURPOSE = "kept answer"


async def respond_atomically(
    declared: Declaration,
    caller: Caller,
    request: JsonRequest,
    permission: Permission,
    handle: Handler,
) -> Response:
    """The handler's answer, or the one that the request got before."""
    services: Services = request.app.state.services
    async with services.database.transaction(caller.tenant) as begun:
        tx = await authorized(services, begun, caller, permission)
        known = await identity_of(tx, request, services.people.vault)
        before = None if known is None else await idempotency.atomic.begin(tx, known)
        vault = services.people.vault if declared.has_secret else None
        if before is not None:
            return replayed(before if vault is None else _opened(vault, before))
        response = await handled(tx, request, handle, is_kept=known is not None)
        await write_entry(tx, request, declared.changes, permission)
        if known is not None:
            await keep(tx, known, response, vault)
        return response


async def handled(
    tx: Transaction, request: JsonRequest, handle: Handler, *, is_kept: bool
) -> Response:
    """What the handler answers in a transaction.

    Where answers are kept, a refusal that a repeat would get, too, is an answer, and undoes what
    the handler had written before. Any other error is raised.
    """
    request.state.tx = tx
    answer = partial(with_local_days, tx, lambda: handle(request))
    if not is_kept:
        return await answer()
    await tx.savepoint()
    try:
        return await answer()
    except Exception as error:
        refusal = _kept_refusal(error)
        if refusal is None:
            raise
        await tx.rollback_to_savepoint()
        return refusal


async def keep(
    tx: Transaction, known: RequestIdentity, response: Response, vault: Vault | None = None
) -> None:
    """Store a final response for repeats, in the transaction whose effect it reports.

    With a vault it is stored encrypted.
    """
    final = final_answer(response)
    if final is not None and vault is not None:
        final = Answer(final.status, vault.encrypt(PURPOSE, final.body))
    if final is not None:
        await idempotency.atomic.keep(tx, known, final)


def _opened(vault: Vault, kept: Answer) -> Answer:
    return Answer(kept.status, vault.decrypt(PURPOSE, kept.body))


def _kept_refusal(error: Exception) -> Response | None:
    """The answer to an error that a repeat of the request gets, too; None for other errors."""
    known = as_domain_error(error)
    response = None if known is None else error_response(known)
    return response if response is not None and final_answer(response) is not None else None
