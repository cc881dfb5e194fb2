"""What mutating routes change, and the audit log's entries of it, as use cases note them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request
from msgspec import Struct
from starlette.types import Scope

from monigo import audit, tenancy
from monigo.api.kernel.http.request_figures import route_of
from monigo.api.kernel.http.request_log import REQUEST_ID, offered_id
from monigo.audit import Call, Fields
from monigo.core.access import Permission
from monigo.core.errors import InvariantError
from monigo.infra.addresses import ClientAddresses
from monigo.infra.db import Change, Transaction


class Changes(Struct, frozen=True):
    """What a mutating route changes, for the audit log: one thing of a type.

    Use cases note it as a struct of `noted` (`Transaction.changed`), which `shown` turns into the
    API's representation. `id_of` is its id. With `is_of_mode` the object belongs to the data of one
    mode, else to the organisation itself.
    """

    resource_type: str
    noted: type
    shown: Callable[[Transaction, Any], Struct]
    id_of: Callable[[Transaction, Any], UUID] = lambda _tx, thing: thing.id
    is_of_mode: bool = True


class Unaudited(Struct, frozen=True):
    """Why a route that does not only read leaves nothing in an organisation's audit log."""

    reason: str


# What is a person's own: the profile, sessions, a second factor.
OF_NO_ORGANIZATION = Unaudited("it changes nothing of an organisation's")

# What a route without either does is read.
Audited = Changes | Unaudited | None


async def write_entry(
    tx: Transaction, request: Request, changes: Audited, permission: Permission
) -> None:
    """Write the entry of what a request changed, in its transaction; nothing where it did not.

    It is of the organisation in whose rows the change was made, which is another than the
    transaction's where a person founds one, or answers its invitation.
    """
    if not isinstance(changes, Changes):
        return
    noted = [one for one in tx.changes if isinstance(_either(one.after, one.before), changes.noted)]
    if not noted:
        return
    change = _merged(tx, noted, changes)
    fields = audit.changed_fields(
        _shown(tx, changes, change.before), _shown(tx, changes, change.after)
    )
    if fields is None:
        return
    call = call_of(
        request.scope,
        request.app.state.addresses,
        action=request.scope["route"].name,
        path=route_of(request.scope),
        permission=permission,
    )
    resource_id = changes.id_of(tx, _either(change.after, change.before))
    async with tenancy.bound_to(tx, change.tenant) as own:
        entry = audit.entry_of(
            own.principal,
            call,
            at=own.real_now,
            resource=(changes.resource_type, resource_id),
            changed=fields,
            is_of_mode=changes.is_of_mode,
        )
        await audit.write(own, [entry])


def call_of(
    scope: Scope, addresses: ClientAddresses, *, action: str, path: str, permission: Permission
) -> Call:
    """A request as the log records it; `path` is the route's, without ids."""
    headers = scope["headers"]
    user_agent = request_id = b""
    for name, value in headers:
        if name == b"user-agent":
            user_agent = value
        elif name == b"x-request-id":
            request_id = value
    return Call(
        action=action,
        route=f"{scope['method']} {path}",
        permission=permission.value,
        address=addresses.of_request(scope["client"], headers),
        user_agent=user_agent.decode("latin-1"),
        request_id=scope.get(REQUEST_ID) or (offered_id(scope) if request_id else ""),
    )


def _merged(tx: Transaction, noted: list[Change], changes: Changes) -> Change:
    """What was noted of one thing, from before the first to after the last.

    Raises:
        InvariantError: of several objects, of which the log would record one.
    """
    ids = {changes.id_of(tx, _either(one.after, one.before)) for one in noted}
    if len(ids) > 1:
        raise InvariantError(f"one request changes one {changes.resource_type}")
    return Change(noted[0].tenant, noted[0].before, noted[-1].after)


def _shown(tx: Transaction, changes: Changes, thing: Any) -> Fields | None:
    return None if thing is None else msgspec.to_builtins(changes.shown(tx, thing))


def _either(after: Any, before: Any) -> Any:
    return before if after is None else after
