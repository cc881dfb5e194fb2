"""Recipients of payout rules, who may become customers after events named them."""

from monigo.metering.recipients.service import note_recipients, note_renamed
from monigo.metering.recipients.tasks import ATTRIBUTE

__all__ = ["ATTRIBUTE", "note_recipients", "note_renamed"]
