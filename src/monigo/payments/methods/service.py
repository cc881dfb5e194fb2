"""Use cases of saved methods."""

from collections.abc import Collection
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import InvariantError, not_found
from monigo.core.ids import ConnectionId, CustomerId, PaymentMethodId
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Follows, Kind
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.payments.methods import expiring, store
from monigo.payments.methods.events import (
    PaymentMethodMadeDefault,
    PaymentMethodRemoved,
    PaymentMethodSaved,
)
from monigo.payments.methods.rules import expiry_of, last4_of, type_of
from monigo.payments.methods.types import NewMethod, PaymentMethod
from monigo.providers.port import SavedMethod

# Of removed methods, whose provider is to forget them, too.
FORGETTING = Kind("method_forgetting", Follows.REAL)

_TOKENS, _FINGERPRINTS = "payment method token", "payment method fingerprint"


async def save(
    tx: Transaction,
    vault: Vault,
    said: SavedMethod,
    *,
    customer_id: CustomerId,
    connection_id: ConnectionId,
    provider: str,
    email: str,
) -> PaymentMethod | None:
    """Keep a method that a customer agreed to be charged by; the first one is the default.

    The same card is kept once, as it is said last. None for a method that can't be charged again.
    """
    kind = type_of(said)
    if kind is None:
        return None
    month, year = expiry_of(said)
    method = PaymentMethod(
        id=PaymentMethodId(new_id()),
        customer_id=customer_id,
        connection_id=connection_id,
        provider=provider,
        type=kind,
        email=said.email or email,
        brand=said.brand,
        last4=last4_of(said),
        exp_month=month,
        exp_year=year,
        bank=said.bank,
        is_default=not await store.defaults(tx, [customer_id]),
        created_at=tx.now,
    )
    hashes = vault.keyed_hashes(
        _FINGERPRINTS, said.fingerprint or said.token, context=customer_id.bytes
    )
    known = await store.lock_same(tx, customer_id, connection_id, hashes)
    if known is None:
        # Another transaction may make the same one just now, or another default.
        for is_default in dict.fromkeys((method.is_default, False)):
            made = replace(method, is_default=is_default)
            new = NewMethod(
                method=made, token=_sealed(vault, made, said), fingerprint_hash=hashes[0]
            )
            if await store.insert(tx, new):
                await _report_saved(tx, made)
                await expiring.schedule(tx, made, None)
                return made
        known = await store.lock_same(tx, customer_id, connection_id, hashes)
    if known is None:
        raise InvariantError("a method that is not stored anew is there")
    kept = replace(method, id=known.id, is_default=known.is_default, created_at=known.created_at)
    await store.renew(tx, kept, _sealed(vault, kept, said))
    await expiring.schedule(tx, kept, known)
    return kept


def _sealed(vault: Vault, method: PaymentMethod, said: SavedMethod) -> bytes:
    return vault.encrypt(_TOKENS, said.token.encode(), context=method.id.bytes)


async def _report_saved(tx: Transaction, method: PaymentMethod) -> None:
    tx.changed(None, method)
    await outbox.emit(
        tx,
        [
            PaymentMethodSaved(
                payment_method_id=method.id,
                customer_id=method.customer_id,
                connection_id=method.connection_id,
                provider=method.provider,
                is_default=method.is_default,
            )
        ],
    )


async def list_methods(tx: Transaction, customer_id: CustomerId) -> list[PaymentMethod]:
    """A customer's methods, oldest first."""
    return await store.list_of_customer(tx, customer_id)


async def get_method(tx: Transaction, method_id: UUID) -> PaymentMethod:
    """A method that was not removed.

    Raises:
        DomainError: not_found.
    """
    method = await store.load(tx, method_id)
    if method is None or method.removed_at is not None:
        raise not_found("payment_method")
    return method


async def defaults_of(
    tx: Transaction, customer_ids: Collection[CustomerId]
) -> dict[CustomerId, PaymentMethod]:
    """The methods that customers are charged by; absent where a customer has none."""
    return await store.defaults(tx, customer_ids)


async def set_default(tx: Transaction, customer_id: CustomerId, method_id: UUID) -> PaymentMethod:
    """Charge a customer by this method from now on.

    Raises:
        DomainError: not_found, also for another customer's.
    """
    method = _own(await store.list_of_customer(tx, customer_id, RowLock.CHANGE), method_id)
    if method.is_default:
        return method
    await store.set_default(tx, customer_id, method.id)
    made = replace(method, is_default=True)
    tx.changed(method, made)
    await outbox.emit(
        tx,
        [
            PaymentMethodMadeDefault(
                payment_method_id=made.id,
                customer_id=made.customer_id,
                connection_id=made.connection_id,
                provider=made.provider,
            )
        ],
    )
    return made


async def remove(tx: Transaction, customer_id: CustomerId, method_id: UUID) -> None:
    """Charge a method no more, and have the provider forget it.

    Raises:
        DomainError: not_found, also for another customer's.
    """
    method = _own(await store.list_of_customer(tx, customer_id, RowLock.CHANGE), method_id)
    await store.remove(tx, method.id)
    tx.changed(method, None)
    await agenda.put(tx, FORGETTING, {method.id: tx.real_now})
    await outbox.emit(
        tx,
        [
            PaymentMethodRemoved(
                payment_method_id=method.id,
                customer_id=method.customer_id,
                connection_id=method.connection_id,
                provider=method.provider,
            )
        ],
    )


async def tokens_of(
    tx: Transaction, vault: Vault, method_ids: Collection[PaymentMethodId]
) -> dict[PaymentMethodId, str]:
    """The provider's tokens of methods, in the clear; absent where one is gone or unreadable."""
    found: dict[PaymentMethodId, str] = {}
    for method_id, token in (await store.tokens(tx, method_ids)).items():
        try:
            found[method_id] = vault.decrypt(_TOKENS, token, context=method_id.bytes).decode()
        except UnreadableSecretError:
            continue
    return found


async def is_connection_used(tx: Transaction, connection_id: ConnectionId) -> bool:
    """Whether a method is charged through a connection."""
    return await store.has_any(tx, connection_id)


def _own(methods: list[PaymentMethod], method_id: UUID) -> PaymentMethod:
    found = next((one for one in methods if one.id == method_id), None)
    if found is None:
        raise not_found("payment_method")
    return found
