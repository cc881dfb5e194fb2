"""The desk: all that is asked of providers goes through it, and leaves its traces."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from cachetools import LRUCache
from msgspec import Struct

from monigo import tenancy
from monigo.core.errors import DomainError, ensure, not_found
from monigo.core.ids import ConnectionId, OrganizationId, ProviderCallId
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, Tenant, Transaction, is_in_transaction
from monigo.infra.ids import new_id
from monigo.payments.connections import service, store
from monigo.payments.connections.keys import KeyCipher, provider_keys
from monigo.payments.connections.rules import (
    STARTS,
    health_after,
    signing_secrets,
    witness_of,
)
from monigo.payments.connections.types import (
    Connection,
    Credentials,
    Health,
    ProviderCall,
    Secrets,
    WebhookSecrets,
    Witness,
)
from monigo.providers.client import Call, Called, ProviderClient
from monigo.providers.port import Failed, FailureCode, Intent, Outcome, ProviderName, Unknown
from monigo.providers.reading import refused
from monigo.providers.registry import adapter_of

# As long as a call takes at most: then those of before have ended.
WAIT_SECONDS = 25
# Of connections whose callers are counted; beyond it those asked longest ago are counted anew.
COUNTED_MAX = 10_000


class Opened(Struct, frozen=True):
    """A connection, and its keys of one mode in the clear."""

    connection: Connection
    credentials: Credentials
    secrets: Secrets

    def __repr__(self) -> str:
        return f"Opened({self.connection.id})"


class ProviderDesk:
    """Asks providers with the keys of connections, and notes calls and health.

    A provider that hangs keeps no more than `at_once_max` requests waiting, and a connection half
    of these, so that others are asked meanwhile.
    """

    def __init__(self, client: ProviderClient, vault: Vault, *, at_once_max: int) -> None:
        self.client = client
        self.vault = vault
        self._at_once_max = at_once_max
        self._of_providers: dict[ProviderName, asyncio.Semaphore] = {}
        self._of_connections: LRUCache[tuple[ConnectionId, bool], asyncio.Semaphore] = LRUCache(
            COUNTED_MAX
        )

    async def ask(
        self, database: Database, tenant: Tenant, connection_id: UUID, intent: Intent
    ) -> Outcome:
        """Have a connection's provider do what is intended, or say what became of it.

        The intent must be committed before, and the caller have no transaction open. A connection
        that is switched off starts nothing new: `Failed` as `not_sent`, as where too many others
        are asking.

        Raises:
            DomainError: not_found, for a connection without keys of this mode; invalid, for an
                amount or account that the provider does not take.
        """
        (answer,) = await self.ask_all(database, tenant, [(connection_id, intent)])
        if isinstance(answer, DomainError):
            raise answer
        return answer

    async def ask_all(
        self, database: Database, tenant: Tenant, asked: Sequence[tuple[UUID, Intent]]
    ) -> list[Outcome | DomainError]:
        """As `ask`, for several intents at the same time; what they raise is among the answers.

        Keys are loaded in one transaction, and all is noted in another, when the last has answered.

        Raises:
            DomainError: not_found, for a connection without keys of this mode.
        """
        ensure(not is_in_transaction(), "no transaction is open while a provider is asked")
        wanted = dict.fromkeys(connection_id for connection_id, _ in asked)
        async with database.transaction(tenant) as tx:
            opened = {one: await self._open(tx, one) for one in wanted}
        answers = await asyncio.gather(
            *(self._answer(opened[connection_id], intent) for connection_id, intent in asked),
            return_exceptions=True,
        )
        noted: dict[UUID, list[tuple[Intent, Called]]] = {}
        made: list[Outcome | DomainError] = []
        unexpected: list[BaseException] = []
        for (connection_id, intent), answer in zip(asked, answers, strict=True):
            match answer:
                case Called():
                    noted.setdefault(connection_id, []).append((intent, answer))
                    made.append(answer.outcome)
                case DomainError() | Failed() | Unknown():
                    made.append(answer)
                case _:
                    unexpected.append(answer)
        async with database.transaction(tenant) as tx:
            for connection_id, calls in noted.items():
                await self._note(tx, opened[connection_id], calls)
        if unexpected:
            raise unexpected[0]
        return made

    async def _answer(self, opened: Opened, intent: Intent) -> Called | Failed | Unknown:
        """A provider's answer; of a connection that is switched off, if this starts something."""
        if intent.verb in STARTS and not opened.connection.is_enabled:
            return refused(intent, FailureCode.NOT_SENT, "the connection is switched off")
        return await self.ask_with(opened, intent)

    async def ask_with(self, opened: Opened, intent: Intent) -> Called:
        """Ask a provider with keys that are at hand, and leave no traces; in a turn of its own."""
        connection, credentials = opened.connection, opened.credentials
        ensure(not is_in_transaction(), "no transaction is open while a provider is asked")
        async with self._turn(connection, is_test=credentials.is_test) as has_turn:
            if not has_turn:
                said = "too many requests to the provider are under way"
                return Called(refused(intent, FailureCode.NOT_SENT, said), ())
            return await self.client.ask(
                connection.provider,
                intent,
                provider_keys(opened.secrets, credentials),
                is_test=credentials.is_test,
            )

    async def webhook_secrets(
        self, database: Database, org_id: OrganizationId, provider: str
    ) -> list[WebhookSecrets]:
        """By what an organisation's webhooks from a provider are verified, in both modes.

        Replaced secrets are among them for 72 hours. None for an unknown organisation.
        """
        found: list[WebhookSecrets] = []
        async with database.transaction(Tenant(org_id, is_test=False)) as tx:
            for is_test in (False, True):
                async with tenancy.bound_to(tx, Tenant(org_id, is_test)) as own:
                    known = await service.of_provider(own, provider)
                    found += [self._secrets_of(own, one) for one in known]
        return found

    def _secrets_of(self, tx: Transaction, connection: Connection) -> WebhookSecrets:
        credentials = connection.credentials[tx.is_test]
        cipher = KeyCipher(self.vault, tx.tenant, connection.id)
        capabilities = adapter_of(connection.provider).capabilities
        secrets = signing_secrets(capabilities, cipher.decrypt(credentials.keys_ciphertext))
        if credentials.previous_ciphertext is not None and _is_ahead(
            credentials.previous_until, tx.real_now
        ):
            secrets += cipher.decrypt_previous(credentials.previous_ciphertext)
        return WebhookSecrets(tx.tenant, connection.id, secrets)

    async def _open(self, tx: Transaction, connection_id: UUID) -> Opened:
        connection = await service.find(tx, connection_id)
        if connection is None or tx.is_test not in connection.credentials:
            raise not_found("payment_connection")
        credentials = connection.credentials[tx.is_test]
        cipher = KeyCipher(self.vault, tx.tenant, connection.id)
        return Opened(connection, credentials, cipher.decrypt(credentials.keys_ciphertext))

    async def _note(
        self, tx: Transaction, opened: Opened, calls: Sequence[tuple[Intent, Called]]
    ) -> None:
        """Note the calls of a connection, and what each of their answers says of its health."""
        connection_id = opened.connection.id
        # Each thing is noted once, and what was said last is noted last.
        noted: dict[tuple[object, ...], tuple[Health, Witness | None]] = {}
        for intent, called in calls:
            health = health_after(intent, called.outcome, tx.real_now)
            said = (health.state, health.last_error, health.otp_on, health.balance)
            _, known = noted.pop(said, (health, None))
            noted[said] = (health, witness_of(called.outcome) or known)
        for health, witness in noted.values():
            await store.note_health(tx, connection_id, health, witness)
        sent = [call for _, called in calls for call in called.calls]
        await service.keep_calls(tx, connection_id, kept_calls(connection_id, sent, tx.real_now))
        await self._renew(tx, opened)

    async def _renew(self, tx: Transaction, opened: Opened) -> None:
        """Encrypt keys anew that are under an old key of the installation, so that it can go."""
        credentials = opened.credentials
        cipher = KeyCipher(self.vault, tx.tenant, opened.connection.id)
        if cipher.is_current(credentials.keys_ciphertext):
            return
        previous = credentials.previous_ciphertext
        await store.renew_ciphertexts(
            tx,
            opened.connection.id,
            before=credentials.keys_ciphertext,
            keys=cipher.encrypt(opened.secrets),
            previous=previous and cipher.encrypt_previous(cipher.decrypt_previous(previous)),
        )

    @asynccontextmanager
    async def _turn(self, connection: Connection, *, is_test: bool) -> AsyncGenerator[bool]:
        """Wait for a turn at a provider; whether there was one in time."""
        of_provider = self._of_providers.setdefault(
            connection.provider, asyncio.Semaphore(self._at_once_max)
        )
        of_connection = self._of_connections.setdefault(
            (connection.id, is_test), asyncio.Semaphore(max(1, self._at_once_max // 2))
        )
        taken: list[asyncio.Semaphore] = []
        try:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    for semaphore in (of_connection, of_provider):
                        await semaphore.acquire()
                        taken.append(semaphore)
            except TimeoutError:
                yield False
            else:
                yield True
        finally:
            for semaphore in taken:
                semaphore.release()


def kept_calls(
    connection_id: ConnectionId, calls: Sequence[Call], now: datetime
) -> list[ProviderCall]:
    """Calls as they are stored."""
    return [
        ProviderCall(
            id=ProviderCallId(new_id()),
            connection_id=connection_id,
            verb=call.verb.value,
            method=call.method,
            path=call.path,
            reference=call.reference,
            status=call.status,
            fault=call.fault,
            milliseconds=call.milliseconds,
            sent=call.sent,
            received=call.received,
            called_at=now,
        )
        for call in calls
    ]


def _is_ahead(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and instant > now
