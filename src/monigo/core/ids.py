"""Ids: one type each, so that a customer's can't be passed for a plan's."""

import re
from typing import NewType
from uuid import UUID, uuid5

OrganizationId = NewType("OrganizationId", UUID)
CustomerId = NewType("CustomerId", UUID)
MetricId = NewType("MetricId", UUID)
PlanId = NewType("PlanId", UUID)
PriceId = NewType("PriceId", UUID)
PriceOverrideId = NewType("PriceOverrideId", UUID)
SubscriptionId = NewType("SubscriptionId", UUID)
InvoiceId = NewType("InvoiceId", UUID)
LineItemId = NewType("LineItemId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
ReplayJobId = NewType("ReplayJobId", UUID)
LedgerAccountId = NewType("LedgerAccountId", UUID)
TransferId = NewType("TransferId", UUID)
TransactionId = NewType("TransactionId", UUID)
WalletId = NewType("WalletId", UUID)
ReservationId = NewType("ReservationId", UUID)
CreditGrantId = NewType("CreditGrantId", UUID)
TopUpId = NewType("TopUpId", UUID)
PlanSimulationId = NewType("PlanSimulationId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
ProviderCallId = NewType("ProviderCallId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
InvitationId = NewType("InvitationId", UUID)
PasskeyId = NewType("PasskeyId", UUID)
ProviderEventId = NewType("ProviderEventId", UUID)
ReconciliationRowId = NewType("ReconciliationRowId", UUID)
VirtualAccountId = NewType("VirtualAccountId", UUID)
ChargeId = NewType("ChargeId", UUID)
PaymentId = NewType("PaymentId", UUID)
RefundId = NewType("RefundId", UUID)
DisputeId = NewType("DisputeId", UUID)
PaymentMethodId = NewType("PaymentMethodId", UUID)
PayoutAccountId = NewType("PayoutAccountId", UUID)
PayoutLegId = NewType("PayoutLegId", UUID)
PayoutTransferId = NewType("PayoutTransferId", UUID)
AlertId = NewType("AlertId", UUID)
AlertStateId = NewType("AlertStateId", UUID)
UsageDigestId = NewType("UsageDigestId", UUID)
TransferBatchId = NewType("TransferBatchId", UUID)
WebhookEndpointId = NewType("WebhookEndpointId", UUID)
WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)
WhatsAppConnectionId = NewType("WhatsAppConnectionId", UUID)
WhatsAppMessageId = NewType("WhatsAppMessageId", UUID)
CustomerMailId = NewType("CustomerMailId", UUID)
MailSuppressionId = NewType("MailSuppressionId", UUID)
PortalTokenId = NewType("PortalTokenId", UUID)

# Derived ids are published, so this value may never change.
NAMESPACE = UUID("6d6f6e69-676f-5000-8000-62696c6c696e")

_CANONICAL_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def parse_id(text: object) -> UUID | None:
    """The UUID written as 36 hyphenated characters in either case, or None.

    UUID() itself also takes braces, URNs and bare hex, so that one id would have many spellings
    and a customer's external id could be mistaken for an id.
    """
    if isinstance(text, str) and _CANONICAL_PATTERN.fullmatch(text):
        return UUID(text)
    return None


def derived_id(*parts: str) -> UUID:
    """The id of something computed rather than stored: the same parts always give the same id."""
    # Each part begins with its length, so that ("ab", "c") and ("a", "bc") differ.
    return uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts))
