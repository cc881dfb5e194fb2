"""A mail's content as text and HTML, in the organisation's name."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from monigo.infra.mail import Mail, Templates
from monigo.notifications.mails.types import Content
from monigo.notifications.occasions import Circumstances, shown_name

TEMPLATES = Templates(Path(__file__).parent / "templates")


def mail_of(
    content: Content, known: Circumstances, recipient: str, *, unsubscribe_url: str = ""
) -> Mail:
    """The mail to an address that says this; with a link to stop it, where there is one."""
    language, settings = content.language, known.organization.mails
    organization = shown_name(known.organization.name)
    values: dict[str, Any] = {
        "content": content,
        "direction": "rtl" if language.is_from_right else "ltr",
        "organization": organization,
        "test_mode": language.text("mail.test_mode") if known.is_test else "",
        "sent_by": language.text("mail.sent_by", organization=organization),
        "reply": language.text("mail.reply") if settings.mail_reply_to else "",
        "unsubscribe": language.text("mail.unsubscribe"),
        "unsubscribe_url": unsubscribe_url,
    }
    made = TEMPLATES.mail("customer", recipient, values)
    return replace(
        made,
        sender_name=shown_name(settings.mail_sender_name) or organization,
        reply_to=settings.mail_reply_to,
        unsubscribe_url=unsubscribe_url,
    )
