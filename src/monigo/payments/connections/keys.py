"""How keys are encrypted: each in the context of its row, so that none is of use in another."""

from msgspec import json

from monigo.core.ids import ConnectionId
from monigo.infra.crypto import Vault
from monigo.infra.db import Tenant
from monigo.payments.connections.types import Credentials, Secrets
from monigo.providers.port import Keys

KEYS, PREVIOUS = "provider keys", "previous webhook secrets"

_read_secrets = json.Decoder(Secrets).decode
_read_texts = json.Decoder(tuple[str, ...]).decode


class KeyCipher:
    """Encrypts and decrypts what a connection has of one mode."""

    def __init__(self, vault: Vault, tenant: Tenant, connection_id: ConnectionId) -> None:
        self._vault = vault
        mode = b"test" if tenant.is_test else b"live"
        self._context = tenant.org_id.bytes + connection_id.bytes + mode

    def encrypt(self, secrets: Secrets) -> bytes:
        """The keys as they are stored.

        Raises:
            DomainError: unavailable, where the installation has no secret key.
        """
        return self._vault.encrypt(KEYS, json.encode(secrets), context=self._context)

    def decrypt(self, ciphertext: bytes) -> Secrets:
        """The keys.

        Raises:
            UnreadableSecretError: they were changed or moved, or the installation's key is gone.
        """
        return _read_secrets(self._vault.decrypt(KEYS, ciphertext, context=self._context))

    def encrypt_previous(self, secrets: tuple[str, ...]) -> bytes:
        """Secrets that still verify webhooks for some time, as they are stored."""
        return self._vault.encrypt(PREVIOUS, json.encode(secrets), context=self._context)

    def decrypt_previous(self, ciphertext: bytes) -> tuple[str, ...]:
        """Secrets that still verify webhooks for some time."""
        return _read_texts(self._vault.decrypt(PREVIOUS, ciphertext, context=self._context))

    def is_current(self, ciphertext: bytes) -> bool:
        """Whether it is under the installation's present key, and not under an old one."""
        return self._vault.is_current(ciphertext)

    def secrets_of(self, credentials: Credentials | None) -> Secrets | None:
        """The keys of credentials, if there are any."""
        return None if credentials is None else self.decrypt(credentials.keys_ciphertext)


def provider_keys(secrets: Secrets, credentials: Credentials) -> Keys:
    """The keys as requests are made with them."""
    return Keys(
        secret_key=secrets.secret_key,
        public_key=credentials.public_key,
        contract_code=credentials.contract_code,
        source_account_number=credentials.source_account_number,
    )
