"""Mails to customers in the organisation's name, which follow from facts."""

from monigo.notifications.mails.composing import compose_task, preview
from monigo.notifications.mails.links import PATH, Subscription, UnsubscribeLinks
from monigo.notifications.mails.samples import sample
from monigo.notifications.mails.service import (
    COMPOSING,
    FORGET,
    REPLACING,
    SUBSCRIBER,
    lift_suppression,
    list_page,
    list_suppressions,
    note_outcome,
    unsubscribe,
)
from monigo.notifications.mails.types import (
    CustomerMail,
    MailStatus,
    Suppression,
    SuppressionReason,
)

__all__ = [
    "COMPOSING",
    "FORGET",
    "PATH",
    "REPLACING",
    "SUBSCRIBER",
    "CustomerMail",
    "MailStatus",
    "Subscription",
    "Suppression",
    "SuppressionReason",
    "UnsubscribeLinks",
    "compose_task",
    "lift_suppression",
    "list_page",
    "list_suppressions",
    "note_outcome",
    "preview",
    "sample",
    "unsubscribe",
]
