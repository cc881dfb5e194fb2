"""Encrypts what must be read again, and hashes what must be recognised, under a secret key."""

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.crypto.secrets import kept_secret
from monigo.infra.settings import Settings

SECRET_FILE = "secret.key"  # noqa: S105 - where it lies, not what it is

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES


class UnreadableSecretError(Exception):
    """A ciphertext was changed or moved, or its key is not configured."""


class Vault:
    """Encryption and keyed hashes under the installation's secret keys, the current one first.

    Each `purpose` (what a value is for) has derived keys of its own. `context` is what a value
    belongs to, such as its row's id: a ciphertext or hash is of no use in another context.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._derived: dict[tuple[bytes, str], bytes] = {}

    @property
    def has_key(self) -> bool:
        """Whether the installation has a key; without one every call is refused."""
        return bool(self._secrets)

    def encrypt(self, purpose: str, plain: bytes, *, context: bytes = b"") -> bytes:
        """The ciphertext of a value (AES-256-GCM), as it is stored in the database.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        secret = self._current()
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._key(secret, f"seal {purpose}"))
        head = _VERSION + _key_id(secret)
        return head + nonce + cipher.encrypt(nonce, plain, head + context)

    def decrypt(self, purpose: str, ciphertext: bytes, *, context: bytes = b"") -> bytes:
        """The plain value of a ciphertext.

        Raises:
            UnreadableSecretError: the ciphertext was changed or moved, or its key is gone.
            DomainError: unavailable, where the installation has no key.
        """
        self._current()
        head, nonce = ciphertext[:_HEAD_BYTES], ciphertext[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
        for secret in self._secrets:
            if head != _VERSION + _key_id(secret):
                continue
            cipher = AESGCM(self._key(secret, f"seal {purpose}"))
            try:
                return cipher.decrypt(
                    nonce, ciphertext[_HEAD_BYTES + _NONCE_BYTES :], head + context
                )
            except InvalidTag as error:
                raise UnreadableSecretError(purpose) from error
        raise UnreadableSecretError(purpose)

    def is_current(self, ciphertext: bytes) -> bool:
        """Whether a ciphertext is under the present key; one under an old key is to be renewed.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        return ciphertext[:_HEAD_BYTES] == _VERSION + _key_id(self._current())

    def keyed_hash(self, purpose: str, value: str, *, context: bytes = b"") -> bytes:
        """HMAC-SHA256 of a value: 32 bytes that recognise the value and do not reveal it.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        return self._hash(self._current(), purpose, value, context)

    def keyed_hashes(self, purpose: str, value: str, *, context: bytes = b"") -> list[bytes]:
        """The value's keyed hash under each of the keys, the current one's first.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        self._current()
        return [self._hash(secret, purpose, value, context) for secret in self._secrets]

    def matches(self, purpose: str, known_hash: bytes, value: str, *, context: bytes = b"") -> bool:
        """Whether a keyed hash is the value's; compares in constant time.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        hashes = self.keyed_hashes(purpose, value, context=context)
        same = [hmac.compare_digest(one, known_hash) for one in hashes]
        return any(same)

    def _hash(self, secret: bytes, purpose: str, value: str, context: bytes) -> bytes:
        # The length keeps context and value apart: none can be read as a part of the other.
        message = len(context).to_bytes(4, "big") + context + value.encode()
        return hmac.digest(self._key(secret, f"mark {purpose}"), message, "sha256")

    def _current(self) -> bytes:
        if not self._secrets:
            raise DomainError(
                ErrorKind.UNAVAILABLE,
                "secret_key_missing",
                "MONIGO_SECRET_KEY is not set, without which nobody can sign in",
            )
        return self._secrets[0]

    def _key(self, secret: bytes, use: str) -> bytes:
        key = self._derived.get((secret, use))
        if key is None:
            key = HKDF(SHA256(), 32, salt=None, info=f"monigo {use}".encode()).derive(secret)
            self._derived[secret, use] = key
        return key


def vault_of(settings: Settings) -> Vault:
    """The installation's vault, under the keys of `MONIGO_SECRET_KEY` or of the data directory.

    With the embedded database a key is generated and kept in the data directory. With another
    database none is generated: the key would be lost with the machine, and with the key all that it
    encrypted. A vault without keys refuses every call.
    """
    if settings.secret_key is not None:
        given = settings.secret_key.get_secret_value().split(",")
        return Vault([text.strip() for text in given])
    path = settings.data_dir / SECRET_FILE
    is_embedded = settings.database_url is None and settings.app_database_url is None
    return Vault([kept_secret(path)] if is_embedded or path.exists() else [])


def _key_id(secret: bytes) -> bytes:
    """A short id of a key, which does not reveal the key."""
    return hashlib.sha256(b"monigo key id " + secret).digest()[:_KEY_ID_BYTES]
