"""How the secrets of endpoints are encrypted: each in the context of its row."""

from datetime import datetime

from monigo.core.ids import WebhookEndpointId
from monigo.infra.crypto import Vault
from monigo.infra.db import Tenant
from monigo.webhooks.endpoints.types import Endpoint

PURPOSE = "webhook secret"


class EndpointCipher:
    """Encrypts and decrypts the secrets of a tenant's endpoints."""

    def __init__(self, vault: Vault, tenant: Tenant) -> None:
        self._vault = vault
        self._context = tenant.org_id.bytes + (b"test" if tenant.is_test else b"live")

    def encrypt(self, endpoint_id: WebhookEndpointId, secret: str) -> bytes:
        """A secret as it is stored.

        Raises:
            DomainError: unavailable, where the installation has no secret key.
        """
        context = self._context + endpoint_id.bytes
        return self._vault.encrypt(PURPOSE, secret.encode(), context=context)

    def decrypt(self, endpoint_id: WebhookEndpointId, ciphertext: bytes) -> str:
        """A secret as it was shown.

        Raises:
            UnreadableSecretError: it was changed or moved, or the installation's key is gone.
        """
        context = self._context + endpoint_id.bytes
        return self._vault.decrypt(PURPOSE, ciphertext, context=context).decode()

    def valid(self, endpoint: Endpoint, now: datetime) -> list[str]:
        """The secrets that sign what is sent to an endpoint now, the present one first.

        Raises:
            UnreadableSecretError: one was changed or moved, or the installation's key is gone.
        """
        found = [endpoint.secret_ciphertext]
        if endpoint.previous_until is not None and now < endpoint.previous_until:
            found.append(endpoint.previous_ciphertext)
        return [self.decrypt(endpoint.id, one) for one in found if one is not None]
