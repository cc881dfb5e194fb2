"""Notices by WhatsApp: a merchant's number, what goes by it, and what became of each message."""

from monigo.notifications.whatsapp import events
from monigo.notifications.whatsapp.connecting import disconnect, plan, record, try_out
from monigo.notifications.whatsapp.reports import Receiver, knows, receive, receivers, signed_for
from monigo.notifications.whatsapp.sending import Messenger
from monigo.notifications.whatsapp.service import (
    CONFIRM,
    CONFIRMATIONS,
    FORGET,
    SEND,
    get_connection,
    get_message,
    get_settings,
    list_messages,
    take,
    update_settings,
    wanted,
    write_test,
)
from monigo.notifications.whatsapp.types import (
    Connection,
    Health,
    Message,
    MessageStatus,
    NewConnection,
    Notice,
    NoticeChanges,
    Saving,
    Secrets,
    Settings,
)
from monigo.notifications.whatsapp.wording import PARAMETERS

__all__ = [
    "CONFIRM",
    "CONFIRMATIONS",
    "FORGET",
    "PARAMETERS",
    "SEND",
    "Connection",
    "Health",
    "Message",
    "MessageStatus",
    "Messenger",
    "NewConnection",
    "Notice",
    "NoticeChanges",
    "Receiver",
    "Saving",
    "Secrets",
    "Settings",
    "disconnect",
    "events",
    "get_connection",
    "get_message",
    "get_settings",
    "knows",
    "list_messages",
    "plan",
    "receive",
    "receivers",
    "record",
    "signed_for",
    "take",
    "try_out",
    "update_settings",
    "wanted",
    "write_test",
]
