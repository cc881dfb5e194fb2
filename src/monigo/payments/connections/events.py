"""The facts of connections."""

from monigo.core.ids import ConnectionId
from monigo.infra.outbox import Fact
from monigo.providers.port import ProviderName


class PaymentConnectionChanged(Fact, frozen=True, kw_only=True):
    """A connection was made, changed or switched; reported in each mode of which it has keys."""

    subject = "payment_connection"
    subject_field = "connection_id"
    connection_id: ConnectionId
    provider: ProviderName
    is_enabled: bool
