"""The facts of WhatsApp messages."""

from uuid import UUID

from monigo.core.ids import CustomerId, WhatsAppMessageId
from monigo.infra.outbox import Fact
from monigo.notifications.occasions import Occasion


class MessageFellBack(Fact, frozen=True, kw_only=True):
    """A notice does not arrive by WhatsApp, as far as known: its mail is wanted instead.

    `fact_id` is what the notice is about, as `occasion` has it.
    """

    subject = "whatsapp_message"
    subject_field = "message_id"
    message_id: WhatsAppMessageId
    customer_id: CustomerId
    fact_id: UUID
    occasion: Occasion
