"""How connections are made and changed: what is wanted is kept, keys are tried, all is stored."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.core.ids import ConnectionId
from monigo.infra.db import Database, Tenant, Transaction
from monigo.payments.connections import service
from monigo.payments.connections.desk import Opened, ProviderDesk, kept_calls
from monigo.payments.connections.keys import KeyCipher
from monigo.payments.connections.rules import (
    health_after,
    is_other_account,
    line_fault,
    needs_trial,
    trial_of,
    witness_lookup,
)
from monigo.payments.connections.types import (
    Accepted,
    Connection,
    ConnectionChanges,
    Credentials,
    NewCredentials,
    Saving,
)
from monigo.providers.client import Called
from monigo.providers.port import Failed, Intent, Outcome
from monigo.providers.registry import adapter_of

PURPOSE = "connection changes"
RETRY_SECONDS = 5


async def plan_creation(
    tx: Transaction, desk: ProviderDesk, provider: str, changes: ConnectionChanges
) -> Saving:
    """Check a new connection as far as that needs no provider.

    Raises:
        DomainError: invalid, naming every field at fault; conflict, where there are too many.
    """
    connection = await _new(tx, provider, changes)
    service.merged(desk.vault, tx.tenant, connection, changes, tx.real_now)
    return _saving(tx, desk, connection, changes, is_new=True)


async def plan_update(
    tx: Transaction, desk: ProviderDesk, connection_id: UUID, changes: ConnectionChanges
) -> Saving:
    """Check the changes of a connection as far as that needs no provider.

    Raises:
        DomainError: not_found; invalid, naming every field at fault.
    """
    connection = await service.get(tx, connection_id)
    service.merged(desk.vault, tx.tenant, connection, changes, tx.real_now)
    return _saving(tx, desk, connection, changes, is_new=False)


async def try_keys(
    desk: ProviderDesk, database: Database, tenant: Tenant, saving: Saving
) -> dict[bool, Accepted] | DomainError:
    """Show keys that are new to the provider; what it said of each mode's, or why they can't be.

    Nothing is made there by it, however often it is asked.
    """
    async with database.transaction(tenant) as tx:
        try:
            before, changes = await _wanted(tx, desk, saving)
            after, by_mode = service.merged(desk.vault, tenant, before, changes, tx.real_now)
        except DomainError as error:
            return error
    accepted: dict[bool, Accepted] = {}
    try:
        for is_test, wanted in by_mode.items():
            own = Tenant(tenant.org_id, is_test)
            present = before.credentials.get(is_test)
            if needs_trial(present, changes.of_mode(is_test=is_test, usual=before.is_test_mode)):
                trial = _Trial(desk, database, own, after)
                accepted[is_test] = await trial.run(present, wanted)
    except DomainError as error:
        return error
    return accepted


async def record(
    tx: Transaction,
    desk: ProviderDesk,
    saving: Saving,
    accepted: Mapping[bool, Accepted] | DomainError,
) -> Connection:
    """Store a connection whose keys were tried.

    Raises:
        DomainError: the provider's refusal of the keys; not_found, where it was deleted meanwhile.
    """
    if isinstance(accepted, DomainError):
        raise accepted
    if not saving.is_new:
        await service.lock(tx, saving.connection_id)
    present, changes = await _wanted(tx, desk, saving)
    changed = service.merged(desk.vault, tx.tenant, present, changes, tx.real_now)
    before = None if saving.is_new else present
    return await service.save(
        tx, desk.vault, changed, before=before, changes=changes, accepted=accepted
    )


class _Trial:
    """Keys of one mode that are shown to a provider."""

    def __init__(
        self, desk: ProviderDesk, database: Database, tenant: Tenant, connection: Connection
    ) -> None:
        self.desk = desk
        self.database = database
        self.tenant = tenant
        self.connection = connection
        self.mode = "test" if tenant.is_test else "live"
        self.calls: list[Called] = []

    async def run(self, present: Credentials | None, wanted: NewCredentials) -> Accepted:
        """What the provider said.

        Raises:
            DomainError: invalid, for keys that it refuses; conflict, for those of another account;
                unavailable, where it can't be asked.
        """
        intent = trial_of(self.connection.provider, wanted)
        outcome = await self._ask(intent, wanted)
        if isinstance(outcome, Failed):
            raise self._refused(outcome)
        cipher = KeyCipher(self.desk.vault, self.tenant, self.connection.id)
        before = cipher.secrets_of(present)
        if (
            present is not None
            and before is not None
            and before.secret_key != (wanted.secrets.secret_key)
        ):
            await self._require_same_account(present, wanted)
        now = self.database.real_now()
        calls = [call for called in self.calls for call in called.calls]
        return Accepted(
            health=health_after(intent, outcome, now),
            calls=tuple(kept_calls(self.connection.id, calls, now)),
        )

    async def _require_same_account(self, present: Credentials, wanted: NewCredentials) -> None:
        """Refuse keys of which nothing proves that they are the account's of before."""
        looked_up = None
        if present.witness is not None:
            looked_up = await self._ask(witness_lookup(present.witness), wanted)
        if is_other_account(self.connection.provider, present, wanted, looked_up):
            raise conflict(
                "other_account",
                f"the {self.mode} keys are not known to be of the same account as those before:"
                " make a connection of its own for them",
            )

    async def _ask(self, intent: Intent, wanted: NewCredentials) -> Outcome:
        credentials = Credentials(
            is_test=self.tenant.is_test,
            keys_ciphertext=b"",
            public_key=wanted.public_key,
            contract_code=wanted.contract_code,
            source_account_number=wanted.source_account_number,
        )
        opened = Opened(self.connection, credentials, wanted.secrets)
        called = await self.desk.ask_with(opened, intent)
        self.calls.append(called)
        fault = line_fault(called.outcome)
        if fault is not None:
            title = adapter_of(self.connection.provider).capabilities.title
            raise DomainError(
                ErrorKind.UNAVAILABLE,
                "provider_unavailable",
                f"{title} can't be asked whether the keys are right: {fault}",
                retry_after_seconds=RETRY_SECONDS,
            )
        return called.outcome

    def _refused(self, outcome: Failed) -> DomainError:
        title = adapter_of(self.connection.provider).capabilities.title
        fault = f"{title} refused it: {outcome.reason}".strip(": ")
        return invalid({f"{self.mode}_secret_key": fault})


async def _wanted(
    tx: Transaction, desk: ProviderDesk, saving: Saving
) -> tuple[Connection, ConnectionChanges]:
    """The connection as it is now, and what is to be changed of it."""
    ciphertext = b64decode(saving.ciphertext)
    context = _context(tx, saving.connection_id)
    plain = desk.vault.decrypt(PURPOSE, ciphertext, context=context)
    changes = msgspec.json.decode(plain, type=ConnectionChanges)
    if not saving.is_new:
        return await service.get(tx, saving.connection_id), changes
    new = await _new(tx, saving.provider, changes)
    return replace(new, id=saving.connection_id), changes


async def _new(tx: Transaction, provider: str, changes: ConnectionChanges) -> Connection:
    """What a new connection begins with, of test mode unless it has live keys."""
    is_test = not changes.live.has_any if changes.is_test_mode is None else changes.is_test_mode
    return await service.new_connection(tx, provider, is_test_mode=is_test)


def _saving(
    tx: Transaction,
    desk: ProviderDesk,
    connection: Connection,
    changes: ConnectionChanges,
    *,
    is_new: bool,
) -> Saving:
    plain = msgspec.json.encode(changes)
    ciphertext = desk.vault.encrypt(PURPOSE, plain, context=_context(tx, connection.id))
    return Saving(
        connection_id=connection.id,
        provider=connection.provider,
        is_new=is_new,
        ciphertext=b64encode(ciphertext).decode(),
    )


def _context(tx: Transaction, connection_id: ConnectionId) -> bytes:
    return tx.org_id.bytes + connection_id.bytes
