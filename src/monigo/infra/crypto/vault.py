"""The vault: seals what must be read again, marks what must be recognised, under one secret key."""

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
    """A sealed value was changed, belongs elsewhere, or its key is no longer among ours."""


class Vault:
    """Works under the installation's secret keys, of which the first is the present one.

    `purpose` is what a value is for, in our words; each has keys of its own. `place` is what it
    belongs to, such as its row's id.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._derived: dict[tuple[bytes, str], bytes] = {}

    def seal(self, purpose: str, plain: bytes, *, place: bytes = b"") -> bytes:
        """The value as it may lie in the database.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        secret = self._present()
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._key(secret, f"seal {purpose}"))
        head = _VERSION + _key_id(secret)
        return head + nonce + cipher.encrypt(nonce, plain, head + place)

    def open(self, purpose: str, sealed: bytes, *, place: bytes = b"") -> bytes:
        """What was sealed.

        Raises:
            UnreadableSecretError: it was changed or moved, or its key is gone.
            DomainError: unavailable, where the installation has no key.
        """
        self._present()
        head, nonce = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
        for secret in self._secrets:
            if head != _VERSION + _key_id(secret):
                continue
            cipher = AESGCM(self._key(secret, f"seal {purpose}"))
            try:
                return cipher.decrypt(nonce, sealed[_HEAD_BYTES + _NONCE_BYTES :], head + place)
            except InvalidTag as error:
                raise UnreadableSecretError(purpose) from error
        raise UnreadableSecretError(purpose)

    def mark(self, purpose: str, value: str, *, place: bytes = b"") -> bytes:
        """By what a value is recognised that can't be told from it: 32 bytes.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        return self._mark(self._present(), purpose, value, place)

    def marks(self, purpose: str, value: str, *, place: bytes = b"") -> list[bytes]:
        """All marks under which a value may be known, the present key's first.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        self._present()
        return [self._mark(secret, purpose, value, place) for secret in self._secrets]

    def recognises(self, purpose: str, mark: bytes, value: str, *, place: bytes = b"") -> bool:
        """Whether a mark is the value's, told in the same time whatever it is.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        same = [hmac.compare_digest(one, mark) for one in self.marks(purpose, value, place=place)]
        return any(same)

    def _mark(self, secret: bytes, purpose: str, value: str, place: bytes) -> bytes:
        # The place tells its length, so that no value can stand for another with its place.
        message = len(place).to_bytes(4, "big") + place + value.encode()
        return hmac.digest(self._key(secret, f"mark {purpose}"), message, "sha256")

    def _present(self) -> bytes:
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
    """The installation's vault; one without keys where none are set, none can be made, none lies.

    With the embedded database a key is made and kept beside it. Elsewhere none is made: it would
    be lost with the machine, and what it sealed with it.
    """
    if settings.secret_key is not None:
        given = settings.secret_key.get_secret_value().split(",")
        return Vault([text.strip() for text in given])
    path = settings.data_dir / SECRET_FILE
    is_embedded = settings.database_url is None and settings.app_database_url is None
    return Vault([kept_secret(path)] if is_embedded or path.exists() else [])


def _key_id(secret: bytes) -> bytes:
    """Which key it is, from which the key can't be told."""
    return hashlib.sha256(b"monigo key id " + secret).digest()[:_KEY_ID_BYTES]
