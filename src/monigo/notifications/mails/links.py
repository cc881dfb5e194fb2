"""The links by which mails can be stopped: sealed, so that nobody makes one for another address."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct

from monigo.core.ids import OrganizationId
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import Tenant

PATH = "/mail/unsubscribe"
PURPOSE = "unsubscribe"
# Of the longest address, and some more.
TOKEN_LENGTH_MAX = 1_000


class Subscription(Struct, frozen=True, array_like=True):
    """Whose notices to which address a link stops; `locale` is the language of its page."""

    org_id: OrganizationId
    is_test: bool
    address: str
    locale: str

    @property
    def tenant(self) -> Tenant:
        """Whose notices they are."""
        return Tenant(self.org_id, self.is_test)


class UnsubscribeLinks:
    """Makes and reads links, which are good for as long as the installation keeps its key."""

    def __init__(self, vault: Vault, public_url: str) -> None:
        self._vault = vault
        self._public_url = public_url

    def url_of(self, subscription: Subscription) -> str:
        """A link that stops notices to an address.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        sealed = self._vault.encrypt(PURPOSE, msgspec.json.encode(subscription))
        token = urlsafe_b64encode(sealed).decode().rstrip("=")
        return f"{self._public_url}{PATH}/{token}"

    def read(self, token: str) -> Subscription | None:
        """What a link's token stands for; None for one that we did not make.

        Raises:
            DomainError: unavailable, where the installation has no key.
        """
        if len(token) > TOKEN_LENGTH_MAX:
            return None
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            plain = self._vault.decrypt(PURPOSE, sealed)
        except (binascii.Error, ValueError, UnreadableSecretError):
            return None
        return msgspec.json.decode(plain, type=Subscription)
