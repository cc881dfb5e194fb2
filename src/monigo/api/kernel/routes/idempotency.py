"""The Idempotency-Key header. `infra/idempotency` stores the requests."""

from fastapi import Request, Response

from monigo.core.access import PrincipalKind
from monigo.core.errors import invalid
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.idempotency import Answer, RequestIdentity, is_kept

METHODS = frozenset({"POST", "PUT", "PATCH"})
KEY_LENGTH_MAX = 255
_WITH_OWN_KEYS = frozenset({PrincipalKind.PERSON, PrincipalKind.PORTAL})


async def identity_of(tx: Transaction, request: Request, vault: Vault) -> RequestIdentity | None:
    """Which request it is; None for one that carries no key.

    Keys of an organisation's modes, methods and paths are apart. Its API keys share theirs; each
    of its people has their own, and so has each portal token.

    Raises:
        DomainError: invalid key.
    """
    key = request.headers.get("idempotency-key")
    if key is None or request.method not in METHODS:
        return None
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise invalid({"Idempotency-Key": f"must have 1 to {KEY_LENGTH_MAX} characters"})
    whose = (str(tx.principal),) if tx.principal.kind in _WITH_OWN_KEYS else ()
    return RequestIdentity.of(
        (str(tx.org_id), str(tx.is_test), request.method, request.scope["path"], key, *whose),
        await request.body(),
        vault,
    )


def replayed(answer: Answer) -> Response:
    """The answer to a repeat."""
    return Response(
        answer.body,
        answer.status,
        {"Idempotent-Replayed": "true"},
        media_type="application/json",
    )


def final_answer(response: Response) -> Answer | None:
    """What a repeat gets instead of being done; None where it is to be done again."""
    if not is_kept(response.status_code):
        return None
    return Answer(response.status_code, bytes(response.body))
